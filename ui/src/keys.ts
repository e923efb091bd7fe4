import type { Session } from '$lib/models'

/** What a key does anywhere in the window. Letters go by their place on the keyboard, so that they work in any script. */
export function onkeydown(session: Session, event: KeyboardEvent): void {
  if (event.isComposing || event.defaultPrevented || session.profiles.all.length === 0) return
  if (isComing(session) && isLetter(event)) {
    // Meant for what was just asked for, not for the field that still has the focus.
    event.preventDefault()
    return
  }
  toComposer(event)
  const handled = chord(session, event) || plain(session, event)
  if (handled) event.preventDefault()
}

/** Whoever types with nothing in focus means the message. */
function toComposer(event: KeyboardEvent): void {
  if (!isLetter(event) || event.key === ' ') return
  if (document.activeElement && document.activeElement !== document.body) return
  document.querySelector<HTMLTextAreaElement>('textarea[data-region="composer"]')?.focus()
}

function isLetter(event: KeyboardEvent): boolean {
  return event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey
}

/** Something that lies over the chats was asked for, and is not drawn yet. */
function isComing(session: Session): boolean {
  const { overlay } = session.navigation
  return overlay !== null && overlay !== 'addAccount' && !document.querySelector('.sheet')
}

function chord(session: Session, event: KeyboardEvent): boolean {
  const { navigation } = session
  const command = (event.ctrlKey || event.metaKey) && !event.altKey
  if (command) {
    switch (event.code) {
      case 'KeyK':
        navigation.overlay = navigation.overlay === 'jump' ? null : 'jump'
        return true
      case 'KeyF':
        navigation.findEverywhere = event.shiftKey || !session.chat
        navigation.panel = 'find'
        return true
      case 'KeyN':
        navigation.open('newChat')
        return true
      case 'Comma':
        navigation.open('settings')
        return true
      case 'Slash':
        navigation.open('shortcuts')
        return true
      case 'KeyQ':
        session.flush()
        void session.backend.quit()
        return true
      case 'KeyW':
        session.flush()
        void session.backend.closeWindow()
        return true
      case 'PageUp':
        session.step(-1)
        return true
      case 'PageDown':
        session.step(1)
        return true
    }
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const step = { ArrowUp: -1 as const, ArrowDown: 1 as const }[event.code]
    if (step === undefined) return false
    session.step(step, event.shiftKey)
    return true
  }
  return false
}

function plain(session: Session, event: KeyboardEvent): boolean {
  const { navigation } = session
  if (event.key === 'F6') {
    nextRegion(event.shiftKey ? -1 : 1)
    return true
  }
  if (event.key !== 'Escape') return false
  if (event.shiftKey) {
    void session.backend.markAllRead(null).catch(() => undefined)
  } else if (navigation.overlay !== null) {
    navigation.overlay = null
  } else if (navigation.panel !== null) {
    navigation.panel = null
  } else {
    const room = session.rooms.get(session.chat?.key ?? null)
    if (room) session.markRead(room.newest)
  }
  return true
}

/** The regions of the window, in turn: list, timeline, composer, panel. */
function nextRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')]
  const at = regions.findIndex((region) => region.contains(document.activeElement))
  const next = regions[(at + step + regions.length) % regions.length]
  const inside = next?.matches('textarea, input')
    ? next
    : (next?.querySelector<HTMLElement>('[tabindex="0"], input, textarea, button:not([tabindex="-1"])') ??
      next)
  inside?.focus()
}
