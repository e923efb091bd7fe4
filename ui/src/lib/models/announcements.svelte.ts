import type { Announcement, Backend, ProfileId } from '$lib/backend'

/** What the admins of the relays have to say to everybody, as long as it holds and nobody put it away. */
export class Announcements {
  private said: ReadonlyMap<ProfileId, Announcement> = $state.raw(new Map())

  constructor(private readonly backend: Backend) {}

  /** Asks the engine anew. */
  async load(profile: ProfileId): Promise<void> {
    const announcement = await this.backend.announcement(profile).catch(() => null)
    const said = new Map(this.said)
    if (announcement) said.set(profile, announcement)
    else said.delete(profile)
    this.said = said
  }

  /** The newest of all that hold. */
  shown(now: number): { profile: ProfileId; announcement: Announcement } | null {
    let newest: { profile: ProfileId; announcement: Announcement } | null = null
    for (const [profile, announcement] of this.said) {
      const holds = announcement.until === null || now < announcement.until
      if (holds && (newest === null || newest.announcement.at < announcement.at))
        newest = { profile, announcement }
    }
    return newest
  }

  async putAway(profile: ProfileId): Promise<void> {
    await this.backend.announcementPutAway(profile)
    await this.load(profile)
  }
}
