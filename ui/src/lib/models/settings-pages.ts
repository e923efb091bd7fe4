/** The pages of the settings, as `Navigation.settingsPage` names them. */
const OWN_PAGES = [
  'profile',
  'devices',
  'notifications',
  'appearance',
  'start',
  'language',
  'storage',
  'connection',
  'about',
] as const

/** Those for whoever administers a relay. */
const RELAY_PAGES = [
  'relay-people',
  'relay-invites',
  'relay-rooms',
  'relay-hooks',
  'relay-announcement',
  'relay-sessions',
  'relay-audit',
] as const

export type PageId = (typeof OWN_PAGES)[number] | (typeof RELAY_PAGES)[number]

/** The pages that somebody sees. */
export function pageIds(admin: boolean): readonly PageId[] {
  return admin ? [...OWN_PAGES, ...RELAY_PAGES] : OWN_PAGES
}

export function isRelayPage(id: PageId): boolean {
  return RELAY_PAGES.some((known) => known === id)
}

export function isPageId(id: string | null): id is PageId {
  return pageIds(true).some((known) => known === id)
}
