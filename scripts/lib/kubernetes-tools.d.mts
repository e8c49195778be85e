export function kubernetesTool(name: 'helm' | 'kubectl'): string | undefined;
export function installKubernetesTools(): boolean;
