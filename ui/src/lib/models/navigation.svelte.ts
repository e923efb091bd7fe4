import type { RoomKey } from '$lib/backend'
import type { Place } from './timeline.svelte'

export type Overlay = 'jump' | 'newChat' | 'invite' | 'settings' | 'shortcuts' | 'addAccount'
export type Panel = 'details' | 'find'

interface Remembered {
  room: RoomKey | null
  panel: Panel | null
  places: Record<RoomKey, Place>
}

/** Where the person is. */
export class Navigation {
  room: RoomKey | null = $state(null)
  overlay: Overlay | null = $state(null)
  /** The page of the settings to open with. */
  settingsPage: string | null = $state(null)
  panel: Panel | null = $state(null)
  /** Whether find looks everywhere, not only in the open chat. */
  findEverywhere = $state(false)
  places = new Map<RoomKey, Place>()

  open(overlay: Overlay, page: string | null = null): void {
    this.settingsPage = page
    this.overlay = overlay
  }

  toggle(panel: Panel): void {
    this.panel = this.panel === panel ? null : panel
  }

  remember(): string {
    const { room, panel, places } = this
    return JSON.stringify({ room, panel, places: Object.fromEntries(places) } satisfies Remembered)
  }

  recall(place: string | null): void {
    if (place === null) return
    try {
      const { room, panel, places } = JSON.parse(place) as Partial<Remembered>
      this.room = room ?? null
      this.panel = panel ?? null
      this.places = new Map(Object.entries(places ?? {}))
    } catch {
      // Written by another version: begin anew.
    }
  }
}
