using Ome.Agent.Files;
using Ome.Agent.Verification;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Cli;

/// <summary>Runs one <c>verify</c>: finds what to compare with, compares, prints.</summary>
internal sealed class VerifyAction(VerifyOptions options, ReadEngine engine, CliConsole console, TimeProvider time)
{
    private static readonly VerificationPolicy Policy = new() { BytesPerSecond = 0, Mode = IntegrityMode.Deep, SettleDelay = VerifyCommand.SettleDelay };

    private readonly CheckOutput _output = new(console, options.Json);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (VerifyCommand.ProblemOf(options.Directory) is { } problem && options.Manifest is null) return await UsageAsync(problem);
        if (options.Ledger is { } ledger && AtomicFile.ObstacleTo(ledger) is { } obstacle) return await UsageAsync($"--ledger is '{ledger}', which cannot be written: {obstacle}");
        var started = time.GetTimestamp();
        var own = options.Manifest ?? VerifyCommand.ManifestOf(options.Directory);
        CheckSummary? summary;
        if (options.Sums is null && (options.Manifest is not null || File.Exists(own))) summary = await WithManifestAsync(own, cancellationToken);
        else summary = await WithTruthAsync(cancellationToken);
        if (summary is null) return ExitCode.Usage;
        await _output.PrintAsync(summary with { Duration = time.GetElapsedTime(started) });
        return ExitCode.Of(summary.Verdict.Result);
    }

    private async Task<CheckSummary?> WithManifestAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            await UsageAsync($"--manifest is '{path}': there is no such file");
            return null;
        }

        var load = ManifestFile.Load(path);
        if (load is not ManifestLoad.Loaded { Document: var document })
        {
            var unusable = (ManifestLoad.Unusable)load;
            return new CheckSummary(Verdict.Inconclusive(unusable.Reason, unusable.Message), Truth: null)
            {
                Hint = $"Restore the manifest, or take a new one from files you trust: ome-agent manifest create {options.Directory}",
            };
        }

        var ledger = await LedgerAsync(document);
        var subject = new CheckSubject(options.Directory, HuggingFaceTruth.CacheOf(options.Directory), ledger, StableHash.Of(options.Directory));
        var request = new CheckRequest
        {
            Policy = Policy with { Digest = options.Digest, FromMedium = options.FromMedium, CheckpointBytes = Math.Max(1, options.CheckpointBytes) },
            Scope = options.Basic ? CheckScope.Presence : CheckScope.Full,
            Checkpoint = options.Ledger is { } target ? proven => LedgerFile.Save(target, proven) : null,
            Found = _output.Tell,
        };
        var report = await new ProgressReport(console, engine, time).RunAsync(
            options.Directory, progress => new VerificationRunner(engine, time).RunAsync(subject, request with { Progress = progress }, cancellationToken));
        return new CheckSummary(report.Verdict, "manifest")
        {
            Trust = document.Manifest.Trust,
            FilesChecked = report.FilesChecked,
            BytesChecked = report.BytesChecked,
            Route = report.Route,
            Flickers = report.Flickers,
            Hint = report.Verdict.Reason == FindingReason.Cancelled ? HintToGoOn() : null,
        };
    }

    private async Task<VerificationLedger> LedgerAsync(ManifestDocument document)
    {
        if (options.Ledger is not { } kept || !File.Exists(kept)) return VerificationLedger.Unproven(document);
        var ledger = LedgerFile.LoadOrStart(kept, document, out var problem);
        if (problem is not null) await console.Error.WriteLineAsync($"The ledger is not used, every byte is read: {CliConsole.Plain(problem)}");
        return ledger;
    }

    private async Task<CheckSummary?> WithTruthAsync(CancellationToken cancellationToken)
    {
        var (truth, problem) = FindSums();
        problem ??= options.WriteManifest ? VerifyCommand.ObstacleToManifest(VerifyCommand.ManifestOf(options.Directory)) : null;
        if (problem is not null)
        {
            await UsageAsync(problem);
            return null;
        }

        var build = await BuildAsync(truth!, readContent: !options.Basic && (options.WriteManifest || await HasTruthAsync(truth!, cancellationToken)), cancellationToken);
        var verdict = build.Verdict;
        var summary = new CheckSummary(verdict, build.Files == 0 ? null : build.Truth.Name)
        {
            Trust = build.Unlisted == 0 && build.Files > 0 ? ManifestTrust.Upstream : ManifestTrust.Local,
            FilesChecked = build.Files,
            BytesChecked = build.Bytes,
            Route = build.Route,
            Unlisted = build.Unlisted,
            Skipped = build.Skipped,
        };
        if (verdict.Result == CheckResult.Valid && options.WriteManifest && build.Manifest is { } manifest) return summary with { Written = Write(manifest) };
        if (verdict.Result != CheckResult.Valid || build.Unlisted < build.Files) return summary;
        return summary with
        {
            Verdict = Verdict.Inconclusive(FindingReason.ManifestMissing, "there is nothing to compare the content with"),
            Hint = $"Structure is sound. To compare content from now on, take a manifest: ome-agent manifest create {options.Directory}",
        };
    }

    /// <summary>True when there is something content can be compared with: reading gigabytes for nothing helps nobody.</summary>
    private async Task<bool> HasTruthAsync(GroundTruth sums, CancellationToken cancellationToken)
    {
        if (!sums.IsEmpty) return true;
        var look = await BuildAsync(sums, readContent: false, cancellationToken, firstLook: true);
        return look.Unlisted < look.Files || !look.Truth.IsEmpty;
    }

    private Task<ManifestBuild> BuildAsync(GroundTruth truth, bool readContent, CancellationToken cancellationToken, bool firstLook = false) =>
        new ProgressReport(console, engine, time).RunAsync(options.Directory, progress => new ManifestBuilder(engine, time).BuildAsync(
            new BuildRequest(options.Directory, HuggingFaceTruth.CacheOf(options.Directory), new SourceIdentity("local://" + options.Directory, options.Directory, null), truth)
            {
                ReadContent = readContent,
                SettleDelay = firstLook ? TimeSpan.Zero : Policy.SettleDelay,
                Progress = progress,
                Found = firstLook ? null : _output.Tell,
            },
            cancellationToken));

    private (GroundTruth? Truth, string? Problem) FindSums()
    {
        var path = options.Sums ?? SumsFile.UsualNames.Select(name => Path.Combine(options.Directory, name)).FirstOrDefault(AtomicFile.IsRegular);
        return path is null ? (GroundTruth.None, null) : SumsFile.Load(path, options.Directory);
    }

    private string HintToGoOn() => options.Ledger is { } kept
        ? $"What was proven is in {kept}: the same command goes on from there."
        : "--ledger FILE keeps what is proven, so that the next run goes on from there.";

    private string Write(ArtifactManifest manifest)
    {
        var path = VerifyCommand.ManifestOf(options.Directory);
        ManifestFile.Save(path, manifest);
        return path;
    }

    private async Task<int> UsageAsync(string message)
    {
        await console.Error.WriteLineAsync($"ome-agent: {CliConsole.Plain(message)}");
        return ExitCode.Usage;
    }
}
