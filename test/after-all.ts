export default function afterAllTests(): void {
  (globalThis as { stopCluster?: () => void }).stopCluster?.();
}
