import type { AuditRecord, RelayKeep, RelayRole } from '$lib/backend'
import { bytes, m } from '$lib/i18n'

export function roleWords(role: RelayRole): string {
  return { member: m.role_member, admin: m.role_admin, owner: m.role_owner }[role]()
}

/** What is kept of a room; null: what holds for all. */
export function keepWords(keep: RelayKeep | null): string {
  if (keep === null) return m.admin_keep_all()
  const bounds = [
    ...(keep.days === null ? [] : [m.admin_keep_days({ count: keep.days })]),
    ...(keep.bytes === null ? [] : [m.admin_keep_bytes({ size: bytes(keep.bytes) })]),
  ]
  return bounds.length === 0 ? m.admin_keep_forever() : bounds.join(', ')
}

/** What the relay refused; a code that has no words yet is shown as it is. */
export function refusedWords(code: string): string {
  const words: Record<string, () => string> = {
    crowded: m.admin_refused_crowded,
    denied: m.admin_refused_denied,
    disabled: m.admin_refused_disabled,
    expired: m.admin_refused_expired,
    handle_taken: m.admin_refused_handle_taken,
    invite_used: m.admin_refused_invite_used,
    limit_reached: m.admin_refused_limit_reached,
    not_found: m.admin_refused_not_found,
    rate_limited: m.admin_refused_rate_limited,
    revoked: m.admin_refused_revoked,
    storage_full: m.admin_refused_storage_full,
    too_large: m.admin_refused_too_large,
    unauthorized: m.admin_refused_unauthorized,
    version: m.admin_refused_version,
  }
  return words[code]?.() ?? code
}

/** A record of the audit log as a sentence. */
export function auditWords({ by, subject, event }: AuditRecord): string {
  const who = { by: by === null ? m.audit_operator() : `@${by}` }
  const both = { ...who, subject: subject === null ? m.audit_somebody() : `@${subject}` }
  switch (event.kind) {
    case 'inviteMade':
      return m.audit_invite_made({ ...who, role: roleWords(event.role) })
    case 'inviteRevoked':
      return m.audit_invite_revoked(who)
    case 'joined':
      return m.audit_joined(both)
    case 'handleChanged':
      return m.audit_handle_changed({ from: event.from, to: event.to })
    case 'roleChanged':
      return m.audit_role_changed({ ...both, role: roleWords(event.role) })
    case 'accountDisabled':
      return m.audit_account_disabled(both)
    case 'accountEnabled':
      return m.audit_account_enabled(both)
    case 'deviceAdded':
      return m.audit_device_added(both)
    case 'deviceRevoked':
      return m.audit_device_revoked(both)
    case 'deviceBlocked':
      return m.audit_device_blocked(both)
    case 'hookMade':
      return m.audit_hook_made(both)
    case 'hookRevoked':
      return m.audit_hook_revoked(both)
    case 'keepChanged':
      return m.audit_keep_changed(who)
    case 'shareChanged':
      return m.audit_share_changed(both)
    case 'configurationChanged':
      return m.audit_configuration_changed({ ...who, keys: event.keys })
    case 'announced':
      return m.audit_announced(who)
    case 'announcementWithdrawn':
      return m.audit_announcement_withdrawn(who)
    case 'other':
      return m.audit_other()
  }
}
