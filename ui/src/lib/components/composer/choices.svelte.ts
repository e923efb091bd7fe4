import { emojiOf, searchEmoji, toned, type Emoji } from '$lib/components/emoji/data'
import { locale } from '$lib/i18n'
import { hueOf, initials, nameOf, type Chat, type Session } from '$lib/models'
import type { Token } from './completion'

const CHOICES_MAX = 6

export interface Choice {
  key: string
  /** What takes the place of what was typed. */
  insert: string
  title: string
  detail: string
  emoji?: string
  hue?: number
  letters?: string
}

/** What a token may become: people of the chat, or emoji. Each is loaded when it is first asked for. */
export class Choices {
  private emoji: readonly Emoji[] = $state.raw([])
  private members: readonly string[] | null = $state.raw(null)

  constructor(
    private readonly session: Session,
    private readonly chat: Chat,
  ) {}

  /** Makes sure that what the token asks for is there, soon. */
  load({ sign }: Token): void {
    if (sign === ':') void this.session.skinTone.load(this.chat.ref.profile)
    if (sign === ':' && this.emoji.length === 0)
      void emojiOf(locale.current).then((all) => (this.emoji = all))
    if (sign === '@' && this.members === null) void this.loadMembers()
  }

  of({ sign, typed }: Token): Choice[] {
    return sign === ':' ? this.emojiFor(typed) : this.peopleFor(typed.toLowerCase())
  }

  private emojiFor(typed: string): Choice[] {
    return searchEmoji(this.emoji, typed, CHOICES_MAX).map((one) => ({
      key: one.emoji,
      insert: toned(one, this.session.skinTone.value),
      title: one.name,
      detail: codeFor(one, typed),
      emoji: toned(one, this.session.skinTone.value),
    }))
  }

  private peopleFor(wanted: string): Choice[] {
    return (this.members ?? [])
      .map((account) => this.session.people.person(this.chat.ref.profile, account))
      .filter(
        (person) =>
          person.handle.startsWith(wanted) ||
          person.shown
            .toLowerCase()
            .split(/\s+/)
            .some((word) => word.startsWith(wanted)),
      )
      .slice(0, CHOICES_MAX)
      .map((person) => ({
        key: person.account,
        insert: `@${person.handle}`,
        title: nameOf(person),
        detail: `@${person.handle}`,
        hue: hueOf(person.account),
        letters: initials(person.shown),
      }))
  }

  private async loadMembers(): Promise<void> {
    const { profile, room } = this.chat.ref
    const members = await this.session.backend.members(profile, room).catch(() => [])
    this.session.people.learn(
      profile,
      members.map((member) => member.person),
    )
    this.members = members.filter((member) => !member.own).map((member) => member.person.account)
  }
}

/** The short code that was begun, else the first one. */
function codeFor(one: Emoji, typed: string): string {
  const code = one.shortcodes.find((code) => code.startsWith(typed.toLowerCase())) ?? one.shortcodes[0]
  return code ? `:${code}:` : ''
}
