import type { Connection, Me, Profile, ProfileId, Trouble } from '$lib/backend'

/** The accounts on this computer. */
export class Profiles {
  all: readonly Profile[] = $state.raw([])

  readonly open: readonly Profile[] = $derived(this.all.filter((profile) => profile.me !== null))
  /** The connection that is worst off: the one to tell of. */
  readonly worst: { profile: Profile; connection: Connection } | null = $derived.by(() => {
    let worst: { profile: Profile; connection: Connection } | null = null
    for (const profile of this.open)
      if (!worst || rank(profile.connection) > rank(worst.connection))
        worst = { profile, connection: profile.connection }
    return worst
  })
  readonly waiting: number = $derived(this.all.reduce((sum, profile) => sum + profile.outbox, 0))

  get(id: ProfileId): Profile | undefined {
    return this.all.find((profile) => profile.id === id)
  }

  me(id: ProfileId): Me | null {
    return this.get(id)?.me ?? null
  }

  set(profile: Profile): void {
    const known = this.all.some(({ id }) => id === profile.id)
    this.all = known
      ? this.all.map((other) => (other.id === profile.id ? profile : other))
      : [...this.all, profile]
  }

  remove(id: ProfileId): void {
    this.all = this.all.filter((profile) => profile.id !== id)
  }

  setConnection(id: ProfileId, connection: Connection): void {
    this.change(id, (profile) => ({ ...profile, connection }))
  }

  setOutbox(id: ProfileId, outbox: number): void {
    if (this.get(id)?.outbox !== outbox) this.change(id, (profile) => ({ ...profile, outbox }))
  }

  addTrouble(id: ProfileId, trouble: Trouble): void {
    this.change(id, (profile) => ({ ...profile, troubles: [...profile.troubles, trouble] }))
  }

  dismissTrouble(id: ProfileId, trouble: Trouble): void {
    this.change(id, (profile) => ({
      ...profile,
      troubles: profile.troubles.filter((other) => other !== trouble),
    }))
  }

  private change(id: ProfileId, change: (profile: Profile) => Profile): void {
    this.all = this.all.map((profile) => (profile.id === id ? change(profile) : profile))
  }
}

function rank(connection: Connection): number {
  return { online: 0, connecting: 1, offline: 2, stopped: 3 }[connection.kind]
}
