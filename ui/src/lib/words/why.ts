import type { Why, WhyReason } from '$lib/backend'
import { count, dateAndTime, m } from '$lib/i18n'

const WORDS: Record<WhyReason, () => string> = {
  directMessage: m.why_direct_message,
  mention: m.why_mention,
  mutedButMention: m.why_muted_but_mention,
  newMessage: m.why_new_message,
  summarized: m.why_summarized,
  ownMessage: m.why_own_message,
  notAMessage: m.why_not_a_message,
  edited: m.why_edited,
  redacted: m.why_redacted,
  alreadyRead: m.why_already_read,
  alreadyNotified: m.why_already_notified,
  focusedChat: m.why_focused_chat,
  doNotDisturb: m.why_do_not_disturb,
  systemDoNotDisturb: m.why_system_do_not_disturb,
  mutedForATime: m.why_muted_for_a_time,
  muted: m.why_muted,
  backlog: m.why_backlog,
  firstSync: m.why_first_sync,
  unknown: m.why_unknown,
}

/** An answer to "Why was I (not) notified?". */
export function whyWords({ reason, messages, chats, until }: Why): string {
  if (reason === 'summarized' && messages && chats)
    return m.why_summarized_count({ messages: count(messages), chats: count(chats) })
  if (reason === 'doNotDisturb' && until) return m.why_do_not_disturb_until({ time: dateAndTime(until) })
  if (reason === 'mutedForATime' && until) return m.why_muted_until({ time: dateAndTime(until) })
  return (WORDS[reason] ?? m.why_unknown)()
}
