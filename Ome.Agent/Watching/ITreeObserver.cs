using Ome.Shared.Domain.Models;

namespace Ome.Agent.Watching;

/// <summary>Told of what happens to watched trees, by the one thread that takes the kernel's events: must not block, throw or call back.</summary>
internal interface ITreeObserver
{
    /// <summary>Something changed below the model's directory.</summary>
    void Changed(ModelKey key);

    /// <summary>A directory came or went, or the model's own did: what lies there now is to be watched.</summary>
    void Moved(ModelKey key);

    /// <summary>Events were lost; <see cref="Moved"/> follows for every tree.</summary>
    void EventsLost();
}
