import type { AccountId, Change, Role } from '$lib/backend'
import { m } from '$lib/i18n'

/** Who did something, or to whom it was done: by name, or oneself. */
export interface Someone {
  name: string
  you: boolean
}

/** What a control entry did, as a sentence. */
export function changeWords(change: Change, actor: Someone, who: (account: AccountId) => Someone): string {
  const by = actor.name
  switch (change.kind) {
    case 'created':
      if (change.room === 'own') return m.change_created_own()
      if (change.room === 'direct') return m.change_created_direct({ actor: by })
      return actor.you ? m.change_you_created_group() : m.change_created_group({ actor: by })
    case 'added': {
      const { name, you } = who(change.who)
      if (you) return m.change_added_you({ actor: by })
      return actor.you ? m.change_you_added({ who: name }) : m.change_added({ actor: by, who: name })
    }
    case 'removed': {
      const { name, you } = who(change.who)
      if (you) return m.change_removed_you({ actor: by })
      return actor.you ? m.change_you_removed({ who: name }) : m.change_removed({ actor: by, who: name })
    }
    case 'left':
      return actor.you ? m.change_you_left() : m.change_left({ actor: by })
    case 'roleChanged': {
      const { name, you } = who(change.who)
      const role = roleName(change.role)
      if (you) return m.change_role_you({ actor: by, role })
      return actor.you
        ? m.change_you_role({ who: name, role })
        : m.change_role({ actor: by, who: name, role })
    }
    case 'policyChanged':
      return actor.you ? m.change_you_policy() : m.change_policy({ actor: by })
    case 'unknown':
      return m.change_unknown({ actor: by })
  }
}

export function roleName(role: Role): string {
  return { member: m.role_member, admin: m.role_admin, owner: m.role_owner }[role]()
}
