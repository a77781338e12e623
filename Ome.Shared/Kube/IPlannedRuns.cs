using k8s;
using k8s.Models;

namespace Ome.Shared.Kube;

/// <summary>
/// Knows when a kind's next run makes sense, where something else than its queue does the work too: a run that was planned for a time by which the work
/// was done already is put off, and asks the API server for nothing. Runs that an event of the API server asked for are never put off.
/// </summary>
public interface IPlannedRuns<TEntity>
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    /// <summary>How long the object's planned run has to wait still; null when nothing is known against it.</summary>
    TimeSpan? Remaining(TEntity entity);
}
