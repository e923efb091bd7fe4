import type { AccountId, LastLine, RoomItem } from '$lib/backend'
import { m } from '$lib/i18n'
import type { People } from '$lib/models/people.svelte'
import { nameOf } from '$lib/models/people.svelte'
import { changeWords } from './changes'

export function titleOf(room: RoomItem): string {
  if (room.kind === 'own') return m.room_notes()
  if (room.kind === 'direct' && room.partner) return nameOf(room.partner)
  return room.title || m.room_unnamed()
}

/** The list's line of what was said last. */
export function lastWords(room: RoomItem, last: LastLine, people: People, me: AccountId): string {
  const who = last.own ? m.you() : last.senderShown
  if (last.kind === 'control')
    return last.changes
      .map((change) =>
        changeWords(change, { name: who, you: last.own }, (account) => ({
          name: people.name(room.profile, account),
          you: account === me,
        })),
      )
      .join(' ')
  const text = last.redacted
    ? m.message_deleted()
    : last.kind === 'unknown'
      ? m.message_unknown()
      : last.preview
  const named = room.kind === 'group' || (last.own && room.kind === 'direct')
  return named ? m.list_who_said({ who, text }) : text
}
