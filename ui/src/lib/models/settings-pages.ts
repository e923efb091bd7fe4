/** The pages of the settings, as `Navigation.settingsPage` names them. */
export const PAGE_IDS = [
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

export type PageId = (typeof PAGE_IDS)[number]

export function isPageId(id: string | null): id is PageId {
  return PAGE_IDS.some((known) => known === id)
}
