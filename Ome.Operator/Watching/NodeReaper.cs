using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Entities;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Kube;

namespace Ome.Operator.Watching;

/// <summary>
/// Removes what is left of nodes that are gone, also of those that went while nobody watched: their report, and checks of nodes or models that
/// no longer exist. Only objects that are ours by their marks, only after asking the API server whether the owner is really gone, and only
/// the very object that was looked at. On the leader only. A node that goes costs what it had; everything is looked at when leadership begins and
/// once a <see cref="Period"/>.
/// </summary>
public sealed partial class NodeReaper(
    ReportIndex index, IKubernetes client, Leadership leadership, OperatorOptions options, FleetMetrics metrics, TimeProvider time, ILogger<NodeReaper> logger) : BackgroundService
{
    /// <summary>How often everything is looked at without a reason.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    /// <summary>A check without a model is left alone so long: its agent removes it itself.</summary>
    public static readonly TimeSpan CheckGrace = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(10);
    private const int ChecksPerPage = 500;

    private readonly ReapReasons _reasons = new(Period, AfterTrouble, time);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        void Node(object? sender, NodeMayBeGoneEventArgs reason) => _reasons.Add(reason.Node);
        void Everything(object? sender, EventArgs reason) => _reasons.AddEverything();
        index.NodeMayBeGone += Node;
        index.Completed += Everything;
        leadership.Changed += Everything;
        try
        {
            if (index.IsComplete) _reasons.AddEverything();
            while (!stoppingToken.IsCancellationRequested) await ReapOnceAsync(await _reasons.TakeAsync(stoppingToken), stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        finally
        {
            index.NodeMayBeGone -= Node;
            index.Completed -= Everything;
            leadership.Changed -= Everything;
        }
    }

    private async Task ReapOnceAsync(ReapReason reason, CancellationToken cancellationToken)
    {
        // Who does not lead drops its reasons: leadership is one for everything.
        if (!leadership.IsLeader || !index.IsComplete) return;
        try
        {
            await ReapAsync(reason, cancellationToken);
        }
        catch (Exception trouble) when (trouble is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            LogTrouble(trouble);
            await Task.Delay(AfterTrouble, time, cancellationToken);
            _reasons.Add(reason);
        }
    }

    private async Task ReapAsync(ReapReason reason, CancellationToken cancellationToken)
    {
        foreach (var node in reason.Everything ? index.NodesGone() : reason.Nodes)
        {
            if (!leadership.IsLeader) return;
            if (!await IsGoneAsync(() => client.CoreV1.ReadNodeAsync(node, cancellationToken: cancellationToken)))
            {
                // Not seen by the watch yet. If it goes before the watch sees it, nothing will ever tell that it went.
                if (!index.IsLive(node)) _reasons.AddLater(node);
                continue;
            }

            await ReapReportAsync(node, cancellationToken);
            // A node's own checks are few; all checks of a fleet are nodes times models.
            if (!reason.Everything) await ReapChecksAsync(ChecksOf(node), cancellationToken);
        }

        if (reason.Everything) await ReapChecksAsync(null, cancellationToken);
    }

    private static string ChecksOf(string node) => $"{OmeNames.CheckNodeLabel}={HashedName.Fit(node, OmeNames.MaxLabelValueLength)}";

    private async Task ReapReportAsync(string node, CancellationToken cancellationToken)
    {
        try
        {
            var report = await client.CoreV1.ReadNamespacedConfigMapAsync(node, options.Namespace, cancellationToken: cancellationToken);
            if (report.GetLabel(OmeNames.ReportLabel) != OmeNames.ReportLabelValue) return;
            await client.CoreV1.DeleteNamespacedConfigMapAsync(node, options.Namespace, Exactly(report), cancellationToken: cancellationToken);
            metrics.Reaped("ConfigMap");
            LogReportReaped(node);
        }
        catch (HttpOperationException trouble) when (trouble.Response?.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone already, or written just now: by an agent whose node is back.
        }
    }

    private async Task ReapChecksAsync(string? labelSelector, CancellationToken cancellationToken)
    {
        var nodes = new Dictionary<string, bool>(StringComparer.Ordinal);
        string? token = null;
        do
        {
            EntityList<ModelIntegrityCheck> page;
            try
            {
                page = await client.CustomObjects.ListClusterCustomObjectAsync<EntityList<ModelIntegrityCheck>>(
                    OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, labelSelector: labelSelector, limit: ChecksPerPage, continueParameter: token, cancellationToken: cancellationToken);
            }
            catch (HttpOperationException trouble) when (trouble.Response?.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
            {
                return; // the kind is not installed, or the list took too long: another time
            }

            foreach (var check in page.Items) await ReapCheckAsync(check, nodes, cancellationToken);
            token = page.Metadata?.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(token));
    }

    private async Task ReapCheckAsync(ModelIntegrityCheck check, Dictionary<string, bool> nodes, CancellationToken cancellationToken)
    {
        if (!leadership.IsLeader || check.GetLabel(OmeNames.CheckNodeLabel) is null || check.DeletionTimestamp() is not null) return;
        var node = check.Spec.NodeName;
        if (!nodes.TryGetValue(node, out var isGone))
        {
            isGone = !index.IsLive(node) && await IsGoneAsync(() => client.CoreV1.ReadNodeAsync(node, cancellationToken: cancellationToken));
            nodes[node] = isGone;
        }

        if (!isGone && !(IsOld(check) && await HasNoModelAsync(check.Spec.ModelRef, cancellationToken))) return;
        try
        {
            await client.CustomObjects.DeleteClusterCustomObjectAsync(
                OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, check.Name(), Exactly(check), cancellationToken: cancellationToken);
            metrics.Reaped(ModelIntegrityCheck.KindName);
            LogCheckReaped(check.Name());
        }
        catch (HttpOperationException trouble) when (trouble.Response?.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone already, or in use after all.
        }
    }

    private bool IsOld(ModelIntegrityCheck check) => check.CreationTimestamp() is { } at && time.GetUtcNow().UtcDateTime - at.ToUniversalTime() > CheckGrace;

    private async Task<bool> HasNoModelAsync(ModelReference reference, CancellationToken cancellationToken)
    {
        if (ModelSpecReader.KeyOf(reference) is not { } key) return false;
        if (index.Knows(key, out var uid) && (uid == reference.Uid || string.IsNullOrEmpty(reference.Uid))) return false;
        var isCluster = reference.Kind == ClusterBaseModel.KindName;
        ModelEntity? found = null;
        var isGone = await IsGoneAsync(async () => found = isCluster
            ? await client.CustomObjects.GetClusterCustomObjectAsync<ClusterBaseModel>(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, key.Name, cancellationToken)
            : await client.CustomObjects.GetNamespacedCustomObjectAsync<BaseModel>(OmeNames.Group, OmeNames.Version, key.Namespace, BaseModel.Plural, key.Name, cancellationToken));
        return isGone || (!string.IsNullOrEmpty(reference.Uid) && found?.Uid() != reference.Uid);
    }

    // Anything but a plain 404 means: not known to be gone.
    private static async Task<bool> IsGoneAsync(Func<Task> read)
    {
        try
        {
            await read();
            return false;
        }
        catch (HttpOperationException trouble) when (trouble.Response?.StatusCode == HttpStatusCode.NotFound)
        {
            return true;
        }
    }

    private static V1DeleteOptions Exactly(IMetadata<V1ObjectMeta> resource) =>
        new() { Preconditions = new V1Preconditions { Uid = resource.Metadata.Uid, ResourceVersion = resource.Metadata.ResourceVersion } };

    [LoggerMessage(2201, LogLevel.Information, "Removed the report of node {Node}, which is gone")]
    private partial void LogReportReaped(string node);

    [LoggerMessage(2202, LogLevel.Information, "Removed integrity check {Name}: its node or its model is gone")]
    private partial void LogCheckReaped(string name);

    [LoggerMessage(2203, LogLevel.Warning, "Could not look for what is left of nodes that are gone; trying again")]
    private partial void LogTrouble(Exception trouble);
}
