// The JavaScript that is loaded before anything is drawn, gzipped; fails above the limit.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT_KIB = 200
const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'))
const first = new Set()

const gzipped = (file) => gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length

function add(key) {
  const chunk = manifest[key]
  if (!chunk || first.has(chunk.file)) return
  first.add(chunk.file)
  for (const dependency of chunk.imports ?? []) add(dependency)
}

for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) add(key)
// Inside the shell the first thing that is asked for is the shell.
add('src/lib/backend/tauri.ts')
// And the messages of one language: the longest ones count.
const languages = Object.keys(manifest).filter((key) => key.startsWith('src/lib/i18n/generated/messages/'))
const sizes = new Map(languages.map((key) => [key, gzipped(manifest[key].file)]))
add(languages.sort((a, b) => sizes.get(b) - sizes.get(a))[0])

let total = 0
for (const file of [...first].filter((file) => file.endsWith('.js'))) {
  const size = gzipped(file)
  total += size
  console.log(`${(size / 1024).toFixed(1).padStart(8)} KiB  ${file}`)
}
console.log(`${(total / 1024).toFixed(1).padStart(8)} KiB  of ${LIMIT_KIB}`)
process.exit(total / 1024 > LIMIT_KIB ? 1 : 0)
