using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Staging;

/// <summary>
/// What the node's report records of artifacts and who shares them. Changes touch one entry, are safe against concurrent writers, and are no-ops when the
/// entry is absent (contract A12).
/// </summary>
public interface IArtifactRecords
{
    /// <summary>The node's report; null when it cannot be read now.</summary>
    Task<NodeReport?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Adds a directory to the children of a parent's entry, with <c>ArtifactLinks.AddChild</c>.</summary>
    /// <returns>False when the entry is there and is not JSON: it stays unchanged (contract A13).</returns>
    Task<bool> AddChildAsync(string parentKey, string path, CancellationToken cancellationToken);

    /// <summary>Removes a directory from them, with <c>ArtifactLinks.RemoveChild</c>.</summary>
    /// <inheritdoc cref="AddChildAsync" path="/returns"/>
    Task<bool> RemoveChildAsync(string parentKey, string path, CancellationToken cancellationToken);
}
