import { errorOf, type AppError, type Backend, type Release } from '$lib/backend'

/** Newer versions of Kith: what is known of them, and what came of the last thing that was asked for. */
export class Releases {
  shown: Release = $state.raw({ kind: 'newest' })
  error: AppError | null = $state.raw(null)

  constructor(private readonly backend: Backend) {}

  look = () => this.run(() => this.backend.releaseLook())

  install = () => this.run(() => this.backend.releaseInstall())

  private async run(act: () => Promise<unknown>): Promise<void> {
    this.error = null
    try {
      await act()
    } catch (thrown) {
      this.error = errorOf(thrown)
    }
  }
}
