using System.Collections.Immutable;
using Ome.Agent.Staging;
using Ome.Shared.Domain.Manifests;

namespace Ome.Tests.Contracts;

/// <summary>A file as it was taken: what is known of it, and what its bytes are held to.</summary>
public sealed record TakenFile(string Path, long Size, ImmutableArray<ContentDigest> Digests);

/// <summary>An artifact at its origin, wherever that is. One per test; disposed with it.</summary>
public abstract class ArtifactBed : IAsyncDisposable
{
    /// <summary>Takes the artifact as it is now.</summary>
    public abstract Task<IReadOnlyList<TakenFile>> TakeAsync(CancellationToken cancellationToken);

    /// <summary>Asks for an artifact that does not exist.</summary>
    public abstract Task<StagingFailure> FailAsync(CancellationToken cancellationToken);

    /// <summary>Puts new content under the same name: the branch moves, the object or file is overwritten.</summary>
    public abstract void Replace(string path, byte[] content);

    public abstract ValueTask DisposeAsync();
}
