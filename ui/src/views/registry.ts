import { LAYERS } from '$lib/components/layers.svelte'
import type { Overlay, Panel } from '$lib/models'
import type { Component } from 'svelte'

type Loader<Props extends Record<string, unknown>> = () => Promise<{ default: Component<Props> }>

/** What lies over the chats. Loaded when it is first asked for; Escape and `close` put it away. */
export const OVERLAYS: Partial<Record<Overlay, Loader<{ close: () => void }>>> = {
  jump: () => import('./jump/Jump.svelte'),
  settings: () => import('./settings/Settings.svelte'),
  newChat: () => import('./new-chat/NewChat.svelte'),
  invite: () => import('./invite/Invite.svelte'),
  shortcuts: () => import('./shortcuts/Shortcuts.svelte'),
}

/** What stands beside a chat. */
export const PANELS: Partial<Record<Panel, Loader<Record<string, never>>>> = {
  details: () => import('./details/Details.svelte'),
  find: () => import('./find/Find.svelte'),
}

/** What is shown while there is no account, or one is added. */
export const WELCOME: Loader<Record<string, never>> | null = () => import('./first-run/FirstRun.svelte')

/** Fetches what is asked for by a key, before it is: whoever types at once must not outrun it. */
export function preload(): void {
  for (const load of [...Object.values(OVERLAYS), ...Object.values(PANELS)])
    void load().catch(() => undefined)
  for (const layer of Object.values(LAYERS)) void layer.fetch()
}
