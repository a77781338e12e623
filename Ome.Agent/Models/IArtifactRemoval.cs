using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>Takes the files of a model off the node. Promises: nothing outside the models root, nothing another model needs, idempotent.</summary>
public interface IArtifactRemoval
{
    /// <summary>Removes the files the record names, as far as nobody else needs them.</summary>
    /// <param name="record">Whose files.</param>
    /// <param name="spec">The model as last seen; null when it was gone before we looked.</param>
    /// <param name="others">Other models of this node whose files lie in or around the same directory.</param>
    /// <param name="cancellationToken">Stops between two files; what is aside stays aside.</param>
    /// <exception cref="IOException">Not everything could be removed; calling again goes on.</exception>
    Task RemoveAsync(ModelRecord record, ModelSpec? spec, IReadOnlyList<ModelKey> others, CancellationToken cancellationToken);
}
