namespace Ome.Agent.Models;

/// <summary>Hands progress on where it arises, in order; the base library's own class would post it to the pool.</summary>
internal sealed class ProgressRelay<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
