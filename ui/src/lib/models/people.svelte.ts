import { SvelteMap } from 'svelte/reactivity'
import type { AccountId, Person, Presence, ProfileId } from '$lib/backend'

export type Standing = 'online' | 'away' | 'offline'

/** Who people are, and who is there. */
export class People {
  private readonly known = new SvelteMap<string, Person>()
  private readonly standings = new SvelteMap<string, Standing>()

  learn(profile: ProfileId, people: readonly Person[]): void {
    for (const person of people) {
      const key = `${profile}/${person.account}`
      if (!same(this.known.get(key), person)) this.known.set(key, person)
    }
  }

  setPresence(presence: Presence): void {
    const key = `${presence.profile}/${presence.account}`
    this.standings.set(key, presence.online ? (presence.away ? 'away' : 'online') : 'offline')
  }

  person(profile: ProfileId, account: AccountId): Person {
    return (
      this.known.get(`${profile}/${account}`) ?? {
        account,
        handle: '',
        name: '',
        shown: account.slice(0, 8),
        ambiguous: false,
      }
    )
  }

  standing(profile: ProfileId, account: AccountId): Standing {
    return this.standings.get(`${profile}/${account}`) ?? 'offline'
  }

  /** As it is to be shown: with the handle where another person is shown alike. */
  name(profile: ProfileId, account: AccountId): string {
    return nameOf(this.person(profile, account))
  }

  all(profile: ProfileId): Person[] {
    const people: Person[] = []
    for (const [key, person] of this.known) if (key.startsWith(`${profile}/`)) people.push(person)
    return people
  }
}

export function nameOf(person: Person): string {
  return person.ambiguous && person.handle ? `${person.shown} (@${person.handle})` : person.shown
}

function same(a: Person | undefined, b: Person): boolean {
  return (
    a !== undefined &&
    a.shown === b.shown &&
    a.handle === b.handle &&
    a.ambiguous === b.ambiguous &&
    a.name === b.name
  )
}

/** Hues that hold their own beside each other; those between yellow and green turn to mud when they are dark. */
const HUES = [10, 30, 50, 68, 150, 170, 195, 218, 240, 262, 286, 310, 338]

/** A hue of one's own: the same on every device. */
export function hueOf(id: string): number {
  let hash = 2166136261
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619)
  return HUES[(hash >>> 0) % HUES.length] ?? 0
}

/** One or two letters for an avatar. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
  const first = firstLetter(words[0])
  // Ideographs and Arabic letters do not abbreviate in pairs.
  if (/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Arabic}]/u.test(first)) return first
  return (first + (words.length > 1 ? firstLetter(words.at(-1)) : '')).toLocaleUpperCase()
}

function firstLetter(word: string | undefined): string {
  return /[\p{L}\p{N}]/u.exec(word ?? '')?.[0] ?? ''
}
