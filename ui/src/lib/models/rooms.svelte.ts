import { SvelteMap } from 'svelte/reactivity'
import { keyOf, type Mute, type ProfileId, type RoomItem, type RoomKey, type RoomRef } from '$lib/backend'

export type RoomFilter = 'all' | 'unread' | 'direct' | 'groups'

/** The list of chats, of all profiles. */
export class Rooms {
  private readonly byKey = new SvelteMap<RoomKey, RoomItem>()
  filter: RoomFilter = $state('all')
  /** One profile alone, or all of them. */
  profile: ProfileId | null = $state(null)
  /** The chat that is open: a filter does not take it away from under one's eyes. */
  kept: RoomKey | null = $state(null)

  /** All, pinned first, then by what happened last. */
  readonly sorted: RoomItem[] = $derived([...this.byKey.values()].sort(order))
  readonly shown: RoomItem[] = $derived(this.sorted.filter((room) => this.passes(room)))
  readonly unreadChats: number = $derived(
    this.sorted.filter((room) => room.unread > 0 && !isQuiet(room)).length,
  )

  get(key: RoomKey | null): RoomItem | undefined {
    return key === null ? undefined : this.byKey.get(key)
  }

  set(room: RoomItem): void {
    this.byKey.set(keyOfItem(room), room)
  }

  remove(ref: RoomRef): void {
    this.byKey.delete(keyOf(ref))
  }

  removeAll(profile: ProfileId): void {
    for (const [key, room] of this.byKey) if (room.profile === profile) this.byKey.delete(key)
  }

  /** All rooms of a profile anew. */
  reset(profile: ProfileId, rooms: readonly RoomItem[]): void {
    const left = new Set(rooms.map(keyOfItem))
    for (const [key, room] of this.byKey)
      if (room.profile === profile && !left.has(key)) this.byKey.delete(key)
    for (const room of rooms) this.set(room)
  }

  /** The chat that stands a step from this one in what is shown; the first or last if this one is not shown. */
  neighbour(key: RoomKey | null, step: 1 | -1, unreadOnly: boolean): RoomItem | undefined {
    const from = this.shown.findIndex((room) => keyOfItem(room) === key)
    const start = from < 0 && step < 0 ? this.shown.length : from
    for (let at = start + step; at >= 0 && at < this.shown.length; at += step) {
      const room = this.shown[at]
      if (room && (!unreadOnly || room.unread > 0)) return room
    }
    return undefined
  }

  private passes(room: RoomItem): boolean {
    if (this.profile !== null && room.profile !== this.profile) return false
    if (this.filter !== 'all' && keyOfItem(room) === this.kept) return true
    switch (this.filter) {
      case 'all':
        return true
      case 'unread':
        return room.unread > 0
      case 'direct':
        return room.kind !== 'group'
      case 'groups':
        return room.kind === 'group'
    }
  }
}

export function keyOfItem(room: RoomItem): RoomKey {
  return keyOf({ profile: room.profile, room: room.id })
}

export function refOfItem(room: RoomItem): RoomRef {
  return { profile: room.profile, room: room.id }
}

export function isMuted(mute: Mute, now: number = Date.now()): boolean {
  return mute.kind === 'forever' || (mute.kind === 'until' && mute.at > now)
}

/** Muted, and nothing in it breaks the silence. */
export function isQuiet(room: RoomItem): boolean {
  return isMuted(room.mute) && !(room.mentionsAnyway && room.mentions > 0)
}

function order(a: RoomItem, b: RoomItem): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1
  return b.activeAt - a.activeAt || keyOfItem(a).localeCompare(keyOfItem(b))
}
