using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// Looks at one file below a root. Promises: nothing outside the root is opened; FIFOs, sockets and devices are never opened;
/// a hung mount delays the caller by at most <see cref="ReadEngineOptions.CallTimeout"/>; whatever happens is an observation, not an exception.
/// </summary>
public interface IFileProbe
{
    /// <summary>The file's stamp and link text; opens nothing for reading. Blocks the caller for microseconds, at worst for the call timeout.</summary>
    FileObservation Stat(ArtifactRoot root, ArtifactPath path);

    /// <summary>
    /// Reads what <paramref name="request"/> asks for, once, and gives all its digests. Cancelling completes the task within 100 ms
    /// with <see cref="FileObservation.Unreadable"/> of cause <see cref="UnreadableCause.Cancelled"/>.
    /// </summary>
    Task<FileObservation> ReadAsync(ArtifactRoot root, ArtifactPath path, ReadRequest request, CancellationToken cancellationToken);
}
