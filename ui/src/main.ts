import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/menu.css'
import './styles/sheet.css'
import { connectBackend } from '$lib/backend'
import { Session } from '$lib/models'
import { mount } from 'svelte'
import App from './App.svelte'

const target = document.getElementById('app')
if (!target) throw new Error('the page has no place for the app')

const backend = await connectBackend()
const report = (what: unknown) => void backend.report(String(what).slice(0, 500)).catch(() => undefined)
addEventListener('error', (event) => {
  // Said by WebKit whenever an observer of sizes changes a size: nothing is lost, and nothing can be done.
  if (!event.message.startsWith('ResizeObserver loop')) report(event.message)
})
addEventListener('unhandledrejection', (event) => report(event.reason))

const session = new Session(backend)
// The letters come while the engine answers; the window does not wait for them longer than for the answer.
void document.fonts.load("1rem 'Inter Variable'")
void document.fonts.load("600 1rem 'Inter Variable'")
await session.start()
mount(App, { target, props: { session } })
