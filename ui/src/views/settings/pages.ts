import type { Profile } from '$lib/backend'
import AnnouncementPage from '$lib/components/admin/AnnouncementPage.svelte'
import AuditPage from '$lib/components/admin/AuditPage.svelte'
import HooksPage from '$lib/components/admin/HooksPage.svelte'
import InvitesPage from '$lib/components/admin/InvitesPage.svelte'
import PeoplePage from '$lib/components/admin/PeoplePage.svelte'
import RoomsPage from '$lib/components/admin/RoomsPage.svelte'
import SessionsPage from '$lib/components/admin/SessionsPage.svelte'
import AboutPage from '$lib/components/settings/AboutPage.svelte'
import AppearancePage from '$lib/components/settings/AppearancePage.svelte'
import ConnectionPage from '$lib/components/settings/ConnectionPage.svelte'
import DevicesPage from '$lib/components/settings/DevicesPage.svelte'
import LanguagePage from '$lib/components/settings/LanguagePage.svelte'
import NotificationsPage from '$lib/components/settings/NotificationsPage.svelte'
import ProfilePage from '$lib/components/settings/ProfilePage.svelte'
import StartPage from '$lib/components/settings/StartPage.svelte'
import StoragePage from '$lib/components/settings/StoragePage.svelte'
import { m } from '$lib/i18n'
import type { PageId } from '$lib/models/settings-pages'
import Activity from '@lucide/svelte/icons/activity'
import Bell from '@lucide/svelte/icons/bell'
import CircleUser from '@lucide/svelte/icons/circle-user-round'
import HardDrive from '@lucide/svelte/icons/hard-drive'
import Info from '@lucide/svelte/icons/info'
import Languages from '@lucide/svelte/icons/languages'
import Laptop from '@lucide/svelte/icons/laptop'
import Megaphone from '@lucide/svelte/icons/megaphone'
import MessagesSquare from '@lucide/svelte/icons/messages-square'
import Palette from '@lucide/svelte/icons/palette'
import Power from '@lucide/svelte/icons/power'
import ScrollText from '@lucide/svelte/icons/scroll-text'
import Server from '@lucide/svelte/icons/server'
import Ticket from '@lucide/svelte/icons/ticket'
import UsersRound from '@lucide/svelte/icons/users-round'
import Webhook from '@lucide/svelte/icons/webhook'
import type { Component } from 'svelte'

export interface SettingsPage {
  title: () => string
  icon: Component
  /** Whether it is about one account. */
  ofProfile: boolean
  page: Component<{ profile: Profile }>
}

const whole = (page: Component<Record<string, never>>) => page as unknown as SettingsPage['page']

function ofRelay(title: () => string, icon: Component, page: SettingsPage['page']): SettingsPage {
  return { title, icon, ofProfile: true, page }
}

export const PAGES: Record<PageId, SettingsPage> = {
  profile: { title: m.settings_page_profile, icon: CircleUser, ofProfile: true, page: ProfilePage },
  devices: { title: m.settings_page_devices, icon: Laptop, ofProfile: true, page: DevicesPage },
  notifications: {
    title: m.settings_page_notifications,
    icon: Bell,
    ofProfile: true,
    page: NotificationsPage,
  },
  appearance: {
    title: m.settings_page_appearance,
    icon: Palette,
    ofProfile: false,
    page: whole(AppearancePage),
  },
  start: { title: m.settings_page_start, icon: Power, ofProfile: false, page: whole(StartPage) },
  language: { title: m.settings_page_language, icon: Languages, ofProfile: false, page: whole(LanguagePage) },
  storage: { title: m.settings_page_storage, icon: HardDrive, ofProfile: true, page: StoragePage },
  connection: { title: m.settings_page_connection, icon: Server, ofProfile: true, page: ConnectionPage },
  about: { title: m.settings_page_about, icon: Info, ofProfile: false, page: whole(AboutPage) },
  'relay-people': ofRelay(m.admin_page_people, UsersRound, PeoplePage),
  'relay-invites': ofRelay(m.admin_page_invites, Ticket, InvitesPage),
  'relay-rooms': ofRelay(m.admin_page_rooms, MessagesSquare, RoomsPage),
  'relay-hooks': ofRelay(m.admin_page_hooks, Webhook, HooksPage),
  'relay-announcement': ofRelay(m.admin_page_announcement, Megaphone, AnnouncementPage),
  'relay-sessions': ofRelay(m.admin_page_sessions, Activity, SessionsPage),
  'relay-audit': ofRelay(m.admin_page_audit, ScrollText, AuditPage),
}
