import { paraglideVitePlugin } from '@inlang/paraglide-js'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { emojiWords } from './scripts/emoji-words.mjs'
import { PARAGLIDE } from './scripts/paraglide.mjs'

/** The shell's own policy: the preview carries it, so that browser tests meet the same walls. */
const shell = JSON.parse(readFileSync(new URL('../tauri.conf.json', import.meta.url), 'utf8')) as {
  app: { security: { csp: Record<string, string> } }
}
const contentSecurityPolicy = Object.entries(shell.app.security.csp)
  .map(([what, from]) => `${what} ${from}`)
  .join('; ')

export default defineConfig({
  plugins: [paraglideVitePlugin(PARAGLIDE), emojiWords(), svelte()],
  clearScreen: false,
  server: { port: 1420, strictPort: true, host: '127.0.0.1' },
  preview: { host: '127.0.0.1', headers: { 'content-security-policy': contentSecurityPolicy } },
  resolve: {
    alias: {
      $lib: fileURLToPath(new URL('./src/lib', import.meta.url)),
      $views: fileURLToPath(new URL('./src/views', import.meta.url)),
    },
    ...(process.env['VITEST'] ? { conditions: ['browser'] } : {}),
  },
  build: {
    target: 'safari16.4',
    cssTarget: 'safari16.4',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    manifest: true,
    sourcemap: false,
    rolldownOptions: {
      output: {
        // What the first picture needs comes in few files: each is a question to the shell.
        codeSplitting: {
          groups: [
            {
              name: 'core',
              test: /src\/views\/main\/|node_modules\/(svelte|virtua|clsx|esm-env)\/|src\/lib\/(models|words|i18n(?!\/generated\/messages)|components\/(shared|chats|timeline|composer|markdown))\/(?!\w*(Menu|Sheet|LineLayers|DeleteMessage)\.svelte)/,
            },
          ],
        },
      },
    },
  },
})
