import type { AppError, PushKind } from '$lib/backend'
import { m } from '$lib/i18n'
import { codeWords } from './errors'

export function kindWords(kind: PushKind): string {
  const words: Record<PushKind, () => string> = {
    ntfy: m.push_kind_ntfy,
    webPush: m.push_kind_web,
    pusher: m.push_kind_pusher,
    webhook: m.push_kind_webhook,
    other: m.push_kind_other,
  }
  return words[kind]()
}

/** What the relay says of a place, in English: from left to right, whatever is around it. */
export function saidWords(why: string): string {
  return m.push_said({ why: `\u2066${why}\u2069` })
}

/** Why a place was not added, or not told. */
export function pushErrorWords(error: AppError): string {
  return error.code === 'pushFailed' ? saidWords(error.message) : codeWords(error.code)
}
