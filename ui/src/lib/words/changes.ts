import type { AccountId, Change, Role } from '$lib/backend'
import { m } from '$lib/i18n'

/** What a control entry did, as a sentence. `name` finds what people are called. */
export function changeWords(change: Change, actor: string, name: (account: AccountId) => string): string {
  switch (change.kind) {
    case 'created':
      return { group: m.change_created_group, direct: m.change_created_direct, own: m.change_created_own }[
        change.room
      ]({ actor })
    case 'added':
      return m.change_added({ actor, who: name(change.who) })
    case 'removed':
      return m.change_removed({ actor, who: name(change.who) })
    case 'left':
      return m.change_left({ actor })
    case 'roleChanged':
      return m.change_role({ actor, who: name(change.who), role: roleName(change.role) })
    case 'policyChanged':
      return m.change_policy({ actor })
    case 'unknown':
      return m.change_unknown({ actor })
  }
}

export function roleName(role: Role): string {
  return { member: m.role_member, admin: m.role_admin, owner: m.role_owner }[role]()
}
