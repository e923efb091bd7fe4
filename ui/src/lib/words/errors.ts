import { errorOf, type ErrorCode } from '$lib/backend'
import { m } from '$lib/i18n'

/** The one table from what failed to what a person reads: what happened, and what to do. */
const WORDS: Record<ErrorCode, () => string> = {
  alreadyHere: m.error_already_here,
  alreadyRunning: m.error_already_running,
  badHandle: m.error_bad_handle,
  cancelled: m.error_cancelled,
  contended: m.error_contended,
  damagedLink: m.error_damaged_link,
  denied: m.error_denied,
  disabled: m.error_disabled,
  empty: m.error_empty,
  expired: m.error_expired,
  handleTaken: m.error_handle_taken,
  handleMoved: m.error_handle_moved,
  internal: m.error_internal,
  inviteUsed: m.error_invite_used,
  keyLost: m.error_key_lost,
  keyStoreUnreachable: m.error_key_store_unreachable,
  limitReached: m.error_limit_reached,
  lost: m.error_lost,
  needsUpdate: m.error_needs_update,
  notALink: m.error_not_a_link,
  notFound: m.error_not_found,
  notOpened: m.error_not_opened,
  offline: m.error_offline,
  passphraseNeeded: m.error_passphrase_needed,
  profileClosed: m.error_profile_closed,
  pushFailed: m.error_push_failed,
  rateLimited: m.error_rate_limited,
  refused: m.error_refused,
  relayStorage: m.error_relay_storage,
  revoked: m.error_revoked,
  storage: m.error_storage,
  timedOut: m.error_timed_out,
  tooLong: m.error_too_long,
  unreachable: m.error_unreachable,
  updateNotFetched: m.error_update_not_fetched,
  updateNotPlaced: m.error_update_not_placed,
  updateUnanswered: m.error_update_unanswered,
  updateUntrusted: m.error_update_untrusted,
  untrustedCertificate: m.error_untrusted_certificate,
  unknownKey: m.error_unknown_key,
  version: m.error_version,
  wrongCode: m.error_wrong_code,
  wrongClock: m.error_wrong_clock,
  wrongPassphrase: m.error_wrong_passphrase,
  yourself: m.error_yourself,
}

export function errorWords(thrown: unknown): string {
  return codeWords(errorOf(thrown).code)
}

export function codeWords(code: ErrorCode): string {
  return (WORDS[code] ?? m.error_internal)()
}
