import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/menu.css'
import './styles/sheet.css'
import { connectBackend } from '$lib/backend'
import { locale } from '$lib/i18n'
import { Session } from '$lib/models'
import { mount } from 'svelte'
import App from './App.svelte'

/** So long the window waits for what the first picture shows. */
const FIRST_PICTURE_MS = 400

const target = document.getElementById('app')
if (!target) throw new Error('the page has no place for the app')

// Most likely the language of the settings, which are not here yet.
void locale.use(navigator.language)
const backend = await connectBackend()
const report = (what: unknown) => void backend.report(String(what).slice(0, 500)).catch(() => undefined)
addEventListener('error', (event) => {
  // Said by WebKit whenever an observer of sizes changes a size: nothing is lost, and nothing can be done.
  if (!event.message.startsWith('ResizeObserver loop')) report(event.message)
})
addEventListener('unhandledrejection', (event) => report(event.reason))

const session = new Session(backend)
// Drawn once, with its letters and the lines of the first chat: what comes later is laid out and painted a second time.
const letters = Promise.allSettled([
  document.fonts.load("1rem 'Inter Variable'"),
  document.fonts.load("600 1rem 'Inter Variable'"),
])
await session.start()
await Promise.all([
  session.preferences.spoken,
  Promise.race([
    Promise.all([letters, session.chat?.opened]),
    new Promise((resolve) => setTimeout(resolve, FIRST_PICTURE_MS)),
  ]),
])
mount(App, { target, props: { session } })
