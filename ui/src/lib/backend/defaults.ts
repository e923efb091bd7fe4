import type { LocalSettings } from './bindings'

/** How the app is until somebody changes it. */
export const DEFAULT_SETTINGS: LocalSettings = {
  theme: 'system',
  density: 'comfortable',
  textSize: 100,
  language: null,
  notifications: true,
  privacy: 'nameAndText',
  sound: true,
  closeToTray: true,
  autostart: false,
  enterSends: true,
  sendTyping: true,
  dismissed: [],
}
