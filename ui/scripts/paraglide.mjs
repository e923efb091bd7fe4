/**
 * How messages become functions, in a build and outside of one.
 *
 * @type {import('@inlang/paraglide-js').CompilerOptions}
 */
export const PARAGLIDE = {
  project: './project.inlang',
  outdir: './src/lib/i18n/generated',
  strategy: ['globalVariable', 'baseLocale'],
  outputStructure: 'locale-modules',
  isServer: 'false',
  disableAsyncLocalStorage: true,
}
