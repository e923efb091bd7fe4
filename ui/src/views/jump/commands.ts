import { m } from '$lib/i18n'
import type { Session } from '$lib/models'
import { pageIds } from '$lib/models/settings-pages'
import { errorWords } from '$lib/words/errors'
import { keyWords } from '$lib/words/keys'
import BellOff from '@lucide/svelte/icons/bell-off'
import CheckCheck from '@lucide/svelte/icons/check-check'
import Keyboard from '@lucide/svelte/icons/keyboard'
import Moon from '@lucide/svelte/icons/moon'
import Plus from '@lucide/svelte/icons/plus'
import Power from '@lucide/svelte/icons/power'
import Search from '@lucide/svelte/icons/search'
import Settings from '@lucide/svelte/icons/settings'
import SquarePen from '@lucide/svelte/icons/square-pen'
import Sun from '@lucide/svelte/icons/sun'
import UserPlus from '@lucide/svelte/icons/user-plus'
import type { Component } from 'svelte'

export interface Command {
  id: string
  title: string
  icon: Component
  keys?: string
  run: () => void
}

/** Everything that can be done without a chat. */
export function commands(session: Session): Command[] {
  const { backend, navigation, notices, preferences } = session
  const trying = (act: Promise<unknown>) =>
    void act.catch((thrown: unknown) => notices.complain(errorWords(thrown)))
  const quiet = preferences.doNotDisturb.kind !== 'off'
  const dark = document.documentElement.dataset['theme'] === 'dark'
  const pages = {
    profile: m.settings_page_profile,
    devices: m.settings_page_devices,
    notifications: m.settings_page_notifications,
    appearance: m.settings_page_appearance,
    start: m.settings_page_start,
    language: m.settings_page_language,
    storage: m.settings_page_storage,
    connection: m.settings_page_connection,
    about: m.settings_page_about,
    'relay-people': m.admin_page_people,
    'relay-invites': m.admin_page_invites,
    'relay-rooms': m.admin_page_rooms,
    'relay-hooks': m.admin_page_hooks,
    'relay-announcement': m.admin_page_announcement,
    'relay-sessions': m.admin_page_sessions,
    'relay-audit': m.admin_page_audit,
  }
  return [
    {
      id: 'new',
      title: m.menu_new_chat(),
      icon: SquarePen,
      keys: keyWords(session.platform, 'Ctrl+N'),
      run: () => navigation.open('newChat'),
    },
    { id: 'invite', title: m.menu_invite(), icon: UserPlus, run: () => navigation.open('invite') },
    {
      id: 'find',
      title: m.find_everywhere(),
      icon: Search,
      keys: keyWords(session.platform, 'Ctrl+Shift+F'),
      run: () => {
        navigation.findEverywhere = true
        navigation.panel = 'find'
      },
    },
    {
      id: 'quiet',
      title: quiet ? m.dnd_end() : m.dnd_hour(),
      icon: BellOff,
      run: () =>
        trying(
          backend.setDoNotDisturb(quiet ? 'off' : 'hour').then((now) => (preferences.doNotDisturb = now)),
        ),
    },
    {
      id: 'read',
      title: m.shortcuts_all_read(),
      icon: CheckCheck,
      keys: keyWords(session.platform, 'Shift+Esc'),
      run: () => trying(backend.markAllRead(null)),
    },
    {
      id: 'theme',
      title: dark ? m.jump_light() : m.jump_dark(),
      icon: dark ? Sun : Moon,
      run: () => trying(preferences.change({ theme: dark ? 'light' : 'dark' })),
    },
    {
      id: 'settings',
      title: m.menu_settings(),
      icon: Settings,
      keys: keyWords(session.platform, 'Ctrl+,'),
      run: () => navigation.open('settings'),
    },
    ...pageIds(session.profiles.open.some(({ me }) => me?.admin)).map((id) => ({
      id: `settings-${id}`,
      title: m.jump_settings_page({ page: pages[id]() }),
      icon: Settings,
      run: () => navigation.open('settings', id),
    })),
    {
      id: 'shortcuts',
      title: m.menu_shortcuts(),
      icon: Keyboard,
      keys: keyWords(session.platform, 'Ctrl+/'),
      run: () => navigation.open('shortcuts'),
    },
    { id: 'account', title: m.menu_add_account(), icon: Plus, run: () => navigation.open('addAccount') },
    {
      id: 'quit',
      title: m.shortcuts_quit(),
      icon: Power,
      keys: keyWords(session.platform, 'Ctrl+Q'),
      run: () => {
        session.flush()
        trying(backend.quit())
      },
    },
  ]
}
