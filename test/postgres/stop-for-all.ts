export default function stopForAll(): void {
  (globalThis as { stopCluster?: () => void }).stopCluster?.();
}
