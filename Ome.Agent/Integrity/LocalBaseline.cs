using System.Collections.Concurrent;
using System.Threading.Channels;
using Ome.Agent.Hosting;
using Ome.Agent.Models;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>
/// Hashes local models in the background, once, within the read budget: they are Ready as soon as they are there, and from here on their content can be
/// proven too. What changed since the model became Ready is never taken for the truth: such a manifest is not saved, and the check speaks.
/// </summary>
public sealed partial class LocalBaseline(
    ModelCatalog catalog, ModelRecordStore records, ManifestStore manifests, ModelGates gates, ManifestBuilder builder, IntegrityService integrity,
    AgentOptions options, TimeProvider time, ILogger<LocalBaseline> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ModelKey, bool> _queued = new();
    private readonly Channel<ModelKey> _keys = Channel.CreateUnbounded<ModelKey>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Has the model's content hashed when its turn comes, if it is not yet.</summary>
    public void Add(ModelKey key)
    {
        if (_queued.TryAdd(key, true)) _keys.Writer.TryWrite(key);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var record in records.All.Where(record => record.Phase == ModelPhase.Ready)) Add(record.Key);
        try
        {
            await foreach (var key in _keys.Reader.ReadAllAsync(stoppingToken))
            {
                _queued.TryRemove(key, out _);
                await TakeAsync(key, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task TakeAsync(ModelKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (Wanted(key) is not { } record || await manifests.LoadAsync(key, cancellationToken) is not { } known) return;
            if (known.Entries.All(entry => entry.HasContentDigest)) return;
            var boundary = record.StoragePath.StartsWith(options.ModelsRoot.TrimEnd('/') + "/", StringComparison.Ordinal) ? options.ModelsRoot.TrimEnd('/') : null;
            var build = await builder.BuildAsync(new BuildRequest(record.StoragePath, boundary, known.Source, GroundTruth.None), cancellationToken);
            using var hold = await gates.EnterAsync(key, cancellationToken);
            if (Wanted(key) is not { } still || still.StoragePath != record.StoragePath) return;
            if (build.Manifest is { } manifest && SameFiles(known, manifest) && build.Verdict.Result != CheckResult.Invalid)
            {
                await manifests.SaveAsync(key, manifest);
                manifests.BeginLedger(key, manifest, time.GetUtcNow());
                integrity.Schedule(key, atOnce: true);
                LogTaken(key, manifest.Entries.Length, build.Bytes);
                return;
            }

            LogNotTaken(key, build.Verdict.Reason?.ToString() ?? "the files changed meanwhile");
            _ = AgainAsync(key, cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogFailed(error, key);
            _ = AgainAsync(key, cancellationToken);
        }
    }

    private ModelRecord? Wanted(ModelKey key) =>
        records.Find(key) is { Phase: ModelPhase.Ready } record && catalog.Find(key) is { Uri: StorageUri.Local } ? record : null;

    /// <summary>The same files under the same stamps as when the model became Ready.</summary>
    private static bool SameFiles(ArtifactManifest known, ArtifactManifest taken)
    {
        var now = taken.Entries.ToDictionary(entry => entry.Path);
        return known.Entries.Where(entry => !ManifestBuilder.IsIgnored(entry.Path.Value)).All(entry =>
            now.TryGetValue(entry.Path, out var found) && found.LinkTarget == entry.LinkTarget
            && (found.Stamp.Size, found.Stamp.MtimeNs, found.Stamp.Inode) == (entry.Stamp.Size, entry.Stamp.MtimeNs, entry.Stamp.Inode));
    }

    private async Task AgainAsync(ModelKey key, CancellationToken cancellationToken)
    {
        await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellationToken.IsCancellationRequested) Add(key);
    }

    [LoggerMessage(EventId = 2221, Level = LogLevel.Information, Message = "{Model} is hashed: {Files} files, {Bytes} bytes; its content is checked from now on (trust=local)")]
    private partial void LogTaken(ModelKey model, int files, long bytes);

    [LoggerMessage(EventId = 2222, Level = LogLevel.Warning, Message = "{Model} could not be hashed yet: {Why}; tried again in a minute")]
    private partial void LogNotTaken(ModelKey model, string why);

    [LoggerMessage(EventId = 2223, Level = LogLevel.Warning, Message = "{Model} could not be hashed; tried again in a minute")]
    private partial void LogFailed(Exception error, ModelKey model);
}
