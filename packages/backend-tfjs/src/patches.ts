import type { KernelConfig, TensorFlow } from './library.ts'

/** Kernels of the registry that are replaced by wrappers of themselves. */
export class KernelPatches {
  private readonly library: TensorFlow
  private readonly wrap: (original: KernelConfig) => KernelConfig
  private patched: { readonly original: KernelConfig; readonly wrapped: KernelConfig }[] = []

  constructor(library: TensorFlow, wrap: (original: KernelConfig) => KernelConfig) {
    this.library = library
    this.wrap = wrap
  }

  /** Wraps the kernels that are needed and puts all others back. */
  adjust(backendNames: readonly string[], isNeeded: (kernel: KernelConfig) => boolean): void {
    this.patched = this.patched.filter(({ original, wrapped }) => {
      if (isNeeded(original)) return true
      // Somebody may have wrapped or replaced ours meanwhile; theirs stays.
      const current = this.library.getKernel(wrapped.kernelName, wrapped.backendName)
      if (current === wrapped) this.swap(wrapped, original)
      return false
    })
    for (const original of backendNames.flatMap((name) => this.library.getKernelsForBackend(name))) {
      if (!isNeeded(original) || this.patched.some(({ wrapped }) => wrapped === original)) continue
      const wrapped = this.wrap(original)
      this.swap(original, wrapped)
      this.patched.push({ original, wrapped })
    }
  }

  /** Unregistering first keeps the registry from warning. */
  private swap(from: KernelConfig, to: KernelConfig): void {
    this.library.unregisterKernel(from.kernelName, from.backendName)
    this.library.registerKernel(to)
  }
}
