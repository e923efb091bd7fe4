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
await session.start()
mount(App, { target, props: { session } })
