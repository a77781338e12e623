using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>How staging a model ended. Cancellation is an <see cref="OperationCanceledException"/>.</summary>
public abstract record StagingResult
{
    private StagingResult()
    {
    }

    /// <summary>Every file is in place and proven; its manifest is saved.</summary>
    /// <param name="Manifest">What was proven.</param>
    /// <param name="Tally">What it cost.</param>
    public sealed record Staged(ArtifactManifest Manifest, StagingTally Tally) : StagingResult;

    /// <summary>The model is Ready without files we could prove (<c>vendor://</c>), and why: its check result is Inconclusive.</summary>
    public sealed record NothingToProve(string Why) : StagingResult;

    /// <summary>Nothing new is visible under its final name.</summary>
    public sealed record Failed(StagingFailure Failure) : StagingResult;
}

/// <summary>What one staging did.</summary>
/// <param name="BytesFetched">Received from the source by this process, digests matched or not.</param>
/// <param name="BytesReused">Proven from what already lay on disk.</param>
/// <param name="Reconnects">Bodies that ended before their range did.</param>
public sealed record StagingTally(long BytesFetched, long BytesReused, int Reconnects);

/// <summary>How far a staging is; what the entry's <c>progress</c> shows (contract 3.2).</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="TotalBytes">Of the whole model.</param>
/// <param name="CompletedBytes">Fetched, or proven in place.</param>
/// <param name="TotalFiles">Of the whole model.</param>
/// <param name="CompletedFiles">Proven.</param>
/// <param name="BytesPerSecond">Fetched.</param>
/// <param name="BytesFetched">0 while everything that was looked at proved good where it lay.</param>
public sealed record StagingProgress(
    StagingPhase Phase, long TotalBytes, long CompletedBytes, int TotalFiles, int CompletedFiles, double BytesPerSecond, long BytesFetched);

/// <summary>Names are on the wire in lower case (contract 3.2).</summary>
public enum StagingPhase
{
    /// <summary>Listing, and proving what lies on disk already.</summary>
    Scanning,

    /// <summary>Bytes are coming in.</summary>
    Downloading,

    /// <summary>All bytes are proven and move to their final names.</summary>
    Finalizing,
}
