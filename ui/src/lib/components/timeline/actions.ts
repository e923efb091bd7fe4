import type { Line, ProfileId } from '$lib/backend'
import { m } from '$lib/i18n'
import type { Chat, Session } from '$lib/models'
import { errorWords } from '$lib/words/errors'
import { whyWords } from '$lib/words/why'

export type ActionId =
  'react' | 'reply' | 'edit' | 'copy' | 'copyLink' | 'why' | 'retry' | 'discard' | 'delete'

export interface Action {
  id: ActionId
  label: string
  /** A key that does the same while the message has the focus. */
  key: string
  danger?: true
}

/** What can be done with a line, in the order of the menu. */
export function actionsOf(session: Session, chat: Chat, line: Line): Action[] {
  const room = session.rooms.get(chat.key)
  const actions: Action[] = []
  const failed = line.state.kind === 'failed' || line.pending?.state.kind === 'failed'
  if (failed) {
    actions.push({ id: 'retry', label: m.message_retry(), key: 't' })
    actions.push({ id: 'discard', label: m.message_discard(), key: 'd', danger: true })
  }
  if (line.redacted || line.kind !== 'text') {
    if (line.seq !== null) actions.push({ id: 'why', label: m.message_why(), key: 'w' })
    return actions
  }
  const writable = room?.writable ?? false
  if (!failed && writable) {
    actions.push({ id: 'react', label: m.message_react(), key: '+' })
    actions.push({ id: 'reply', label: m.message_reply(), key: 'r' })
    if (line.own) actions.push({ id: 'edit', label: m.message_edit(), key: 'e' })
  }
  actions.push({ id: 'copy', label: m.message_copy(), key: 'c' })
  if (line.seq !== null) {
    actions.push({ id: 'copyLink', label: m.message_copy_link(), key: 'l' })
    if (!line.own) actions.push({ id: 'why', label: m.message_why(), key: 'w' })
    if (writable && (line.own || room?.role === 'admin' || room?.role === 'owner'))
      actions.push({ id: 'delete', label: m.message_delete(), key: 'Delete', danger: true })
  }
  return actions
}

/** Does what needs no more than the line. Reacting is left to whoever shows the emoji. */
export async function perform(session: Session, chat: Chat, line: Line, action: ActionId): Promise<void> {
  const { backend, notices } = session
  const { profile, room } = chat.ref
  try {
    switch (action) {
      case 'react':
        break
      case 'reply':
        chat.composer.reply(line)
        break
      case 'edit':
        chat.composer.edit(line)
        break
      case 'copy':
        await session.copy(line.text)
        break
      case 'copyLink':
        await session.copy(await backend.roomLink(profile, room, line.seq))
        break
      case 'why':
        if (line.seq !== null) notices.say(whyWords(await backend.whyNotified(profile, room, line.seq)))
        break
      case 'retry':
        await backend.retry(profile, refusedOf(line))
        break
      case 'discard':
        await backend.discard(profile, refusedOf(line))
        break
      case 'delete':
        await backend.redact(profile, room, line.id)
        break
    }
  } catch (thrown) {
    notices.complain(errorWords(thrown))
  }
}

/** The line itself, or the change of it that was refused. */
function refusedOf(line: Line): string {
  return line.state.kind === 'failed' || !line.pending ? line.id : line.pending.id
}

export async function react(session: Session, chat: Chat, line: Line, emoji: string): Promise<void> {
  const on = !line.reactions.some((reaction) => reaction.emoji === emoji && reaction.own)
  try {
    await session.backend.react(chat.ref.profile, chat.ref.room, line.id, emoji, on)
  } catch (thrown) {
    session.notices.complain(errorWords(thrown))
  }
}

export function namesOf(session: Session, profile: ProfileId, accounts: readonly string[]): string[] {
  const me = session.profiles.me(profile)?.account
  return accounts.map((account) => (account === me ? m.you() : session.people.name(profile, account)))
}
