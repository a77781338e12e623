using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;

namespace Ome.Shared.Kube;

/// <summary>Runs an informer for as long as the host lives.</summary>
public sealed class InformerService<T, TItem>(Informer<T, TItem> informer) : BackgroundService
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => informer.RunAsync(stoppingToken);
}
