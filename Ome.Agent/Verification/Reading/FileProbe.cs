using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>Looks at files with the engine's threads.</summary>
public sealed class FileProbe(ReadEngine engine) : IFileProbe
{
    public FileObservation Stat(ArtifactRoot root, ArtifactPath path)
    {
        var look = engine.CallAsync<FileObservation>(
            root.Path, worker => FileLook.Stat(worker.Calls, root, path), (cause, errno) => new FileObservation.Unreadable(cause, errno), CancellationToken.None);
#pragma warning disable VSTHRD002 // The engine's own threads answer, within the call timeout; none of them waits for the caller's.
        return look.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }

    public Task<FileObservation> ReadAsync(ArtifactRoot root, ArtifactPath path, ReadRequest request, CancellationToken cancellationToken) =>
        engine.ReadAsync(root, path, request, cancellationToken);
}
