using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Verification.Campaign;

/// <summary>Ways a model's files go bad, and some that only look like it.</summary>
public enum FaultClass
{
    BitFlip,
    ByteRun,
    ZeroedPage,
    ZeroedMebibyte,
    ZeroedTail,
    SwappedChunks,
    HolePunched,
    RewrittenSameSize,
    HeaderLengthEdited,
    HeaderTextEdited,
    IndexEdited,
    Truncated,
    Extended,
    Emptied,
    Deleted,
    Renamed,
    PointerFile,
    DirectoryInPlace,
    FifoInPlace,
    LinkDangling,
    LinkRetargeted,
    LinkOutOfRoot,
    ExtraFile,
}

/// <summary>One fault that was made, and what a check that sees it must say.</summary>
/// <param name="Class">Of the closed set.</param>
/// <param name="Path">The file that must be named; null when nothing may be found.</param>
/// <param name="Reason">The reason that must be given.</param>
/// <param name="Scope">The tier that claims the class.</param>
/// <param name="Chunks">Chunks that differ, for content faults.</param>
/// <param name="Silent">The stamp did not move, as when the medium rots: only reading can find it.</param>
internal sealed record Fault(FaultClass Class, string? Path, FindingReason? Reason, CheckScope Scope, IReadOnlyList<int> Chunks, bool Silent);
