using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>
/// Runs one check: looks at every file, reads the content that is due, looks again another way at whatever seems bad, judges, and notes what
/// is proven in the ledger. Changes nothing on disk but through the checkpoint it is given. May run several checks at once, on different ledgers.
/// </summary>
public sealed class VerificationRunner
{
    private readonly ReadEngine _engine;
    private readonly CheckProbes _probes;
    private readonly TimeProvider _time;

    public VerificationRunner(ReadEngine engine, TimeProvider time)
        : this(engine, new CheckProbes(new FileProbe(engine), new StatPass(engine), new StructureProbe(engine)), time)
    {
    }

    /// <summary>With probes that a test may make fail.</summary>
    internal VerificationRunner(ReadEngine engine, CheckProbes probes, TimeProvider time) => (_engine, _probes, _time) = (engine, probes, time);

    /// <summary>Never throws for anything the files do; cancelling ends within 100 ms with reason Cancelled, and what was proven is kept.</summary>
    /// <exception cref="IOException">The checkpoint could not be saved.</exception>
    public async Task<CheckReport> RunAsync(CheckSubject subject, CheckRequest request, CancellationToken cancellationToken)
    {
        var (startedAt, started) = (_time.GetUtcNow(), _time.GetTimestamp());
        var opened = await _engine.OpenRootAsync(subject.Root, subject.Boundary, cancellationToken);
        if (opened is ArtifactRootResult.Opened { Root: var root })
        {
            using (root)
            {
                var pass = new VerificationPass(subject, request, root, _probes, _time, _engine.Workers, cancellationToken);
                return await pass.RunAsync(startedAt, started);
            }
        }

        var refused = (ArtifactRootResult.Refused)opened;
        var finding = await new RootLoss(_engine, _time).ExplainAsync(subject, refused, request.Policy.SettleDelay, cancellationToken);
        var verdict = VerdictRules.Conclude([finding], subject.Ledger.Manifest.Entries.Length);
        return new CheckReport(
            verdict, CheckMode.Basic, 0, 0, 0, null, 0, verdict.Result == CheckResult.Invalid ? [new DamagedFile(finding, [])] : [],
            subject.Ledger.OldestProof(startedAt), false, startedAt, _time.GetElapsedTime(started));
    }
}

/// <summary>The eyes of a check.</summary>
internal sealed record CheckProbes(IFileProbe Files, IStatPass Stats, IStructureProbe Structure);

/// <summary>
/// Tells a directory that was deleted, which is damage, from one whose file system is not mounted, which says nothing: deleted means that the
/// nearest directory above it that is still there lies on the device the files were on.
/// </summary>
internal sealed class RootLoss(ReadEngine engine, TimeProvider time)
{
    public async Task<FileFinding> ExplainAsync(CheckSubject subject, ArtifactRootResult.Refused refused, TimeSpan settle, CancellationToken cancellationToken)
    {
        if (!await IsDeletedAsync(subject, refused, cancellationToken)) return Finding(subject, FileJudge.ReasonOf(refused.Cause), refused.Errno);
        try
        {
            await Task.Delay(settle, time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Finding(subject, FindingReason.Cancelled, refused.Errno);
        }

        var again = await engine.OpenRootAsync(subject.Root, subject.Boundary, cancellationToken);
        if (again is ArtifactRootResult.Opened { Root: var root })
        {
            root.Dispose();
            return Finding(subject, FindingReason.ChangedDuringCheck, "it was gone and is back");
        }

        return await IsDeletedAsync(subject, (ArtifactRootResult.Refused)again, cancellationToken)
            ? new FileFinding(null, FindingReason.FileMissing, subject.Root, "nothing", Detail: "the whole directory is gone")
            : Finding(subject, FindingReason.RootUnavailable, refused.Errno);
    }

    private static FileFinding Finding(CheckSubject subject, FindingReason reason, string detail) => new(null, reason, subject.Root, Detail: detail);

    private async Task<bool> IsDeletedAsync(CheckSubject subject, ArtifactRootResult.Refused refused, CancellationToken cancellationToken)
    {
        if (refused is not { Cause: UnreadableCause.RootUnavailable, Errno: "ENOENT" } || subject.Ledger.Manifest.Entries is not [var entry, ..]) return false;
        for (var above = Path.GetDirectoryName(subject.Root); above is not null && above.Length >= (subject.Boundary?.Length ?? 1); above = Path.GetDirectoryName(above))
        {
            var opened = await engine.OpenRootAsync(above, null, cancellationToken);
            if (opened is ArtifactRootResult.Opened { Root: var root })
            {
                using (root) return root.Device == entry.Stamp.Device;
            }
        }

        return false;
    }
}
