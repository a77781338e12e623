using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Reconciliation;
using KubeOps.Operator.Metrics;
using KubeOps.Operator.Queue;
using KubeOps.Operator.Reconciliation;
using Microsoft.Extensions.Logging;

namespace KubeOps.Operator.Watcher;

/// <summary>
/// Feeds one pipeline's queue. Lists, then watches from the list's resourceVersion on, and resumes from the last event after a
/// break. When the server forgot that version (410) it lists again, and whatever vanished meanwhile is reported as deleted. A stream
/// that ends at once or fails is asked for again with back-off; one that falls silent is dropped.
/// </summary>
internal partial class ResourceWatcher<TEntity>(
    EntityFeed<TEntity> feed,
    ITimedEntityQueue<TEntity> queue,
    IEntityLabelSelector<TEntity> labelSelector,
    IEntityFieldSelector<TEntity> fieldSelector,
    OperatorSettings settings,
    ILogger logger,
    TimeProvider time,
    OperatorMetrics? metrics) : RestartableHostedService
    where TEntity : IKubernetesObject<V1ObjectMeta>
{
    // Servers end a watch by themselves when asked to, and send a bookmark about every minute.
    private static readonly TimeSpan WatchLength = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(2.5);
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(1);
    private static readonly string EntityType = typeof(TEntity).Name;

    private readonly ChangeFilter<TEntity> _filter = new(settings.ReconcileStrategy);
    private string? _resumeFrom;
    private (string? Labels, string? Fields) _selectors;
    private int _failures;

    private protected override TimeProvider Clock => time;

    protected override async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        // A new term starts from nothing: what the last one handed on may have been dropped with the leadership.
        _filter.Clear();
        _resumeFrom = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = await ConnectAsync(cancellationToken);
            if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellationToken);
        }
    }

    protected override void OnLoopFaulted(Exception exception) => LogFaulted(exception, EntityType);

    // An ERROR event says that this watch cannot go on from here, in most cases 410; to list again is right for all of them.
    private static bool IsExpired(Exception error) =>
        error is KubernetesException or HttpOperationException { Response.StatusCode: HttpStatusCode.Gone or HttpStatusCode.BadRequest };

    private async Task<TimeSpan> ConnectAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            await CatchUpAsync(cancellationToken);
            await FollowAsync(cancellationToken);

            // Also a server that closes each watch at once must not be asked in a tight loop.
            return time.GetElapsedTime(started) < ShortestWatch ? Backoff.Delay(++_failures, this) : TimeSpan.Zero;
        }
        catch (Exception expired) when (IsExpired(expired))
        {
            LogExpired(EntityType, _resumeFrom, expired.Message);
            _resumeFrom = null;
            return time.GetElapsedTime(started) < ShortestWatch ? Backoff.Delay(++_failures, this) : TimeSpan.Zero;
        }
        catch (Exception broken) when (broken is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var wait = Backoff.Delay(++_failures, this);
            LogBroken(broken, EntityType, wait.TotalSeconds, Remedy(broken));
            metrics?.RecordWatcherReconnection(EntityType);
            return wait;
        }
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var selectors = (await labelSelector.GetLabelSelectorAsync(cancellationToken), await fieldSelector.GetFieldSelectorAsync(cancellationToken));
        if (_resumeFrom is not null && selectors == _selectors) return;

        _selectors = selectors;
        var list = await feed.ListAsync(_selectors.Labels, _selectors.Fields, cancellationToken);
        foreach (var vanished in _filter.MissingFrom(list.Items.Select(item => item.Uid)))
            await HandOnAsync(WatchEventType.Deleted, vanished, cancellationToken);
        foreach (var item in list.Items)
        {
            if (item.Misfit is not null) LogMisfit(item.Misfit, EntityType, item.Uid, item.ResourceVersion);
            else if (item.Entity is { } entity) await HandOnAsync(_filter.IsKnown(entity) ? WatchEventType.Modified : WatchEventType.Added, entity, cancellationToken);
        }

        _resumeFrom = list.ResourceVersion;
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(LongestSilence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        var events = feed.WatchAsync(_resumeFrom!, _selectors.Labels, _selectors.Fields, (int)WatchLength.TotalSeconds, either.Token);
        try
        {
            await foreach (var (type, entity, uid, version, misfit) in events)
            {
                _failures = 0;
                silence.CancelAfter(LongestSilence);
                metrics?.RecordWatchEvent(EntityType, type.ToString().ToLowerInvariant());
                if (misfit is not null) LogMisfit(misfit, EntityType, uid, version);
                else if (entity is not null) await HandOnAsync(type, entity, cancellationToken);
                _resumeFrom = version ?? _resumeFrom;
            }
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            LogSilent(EntityType, LongestSilence.TotalSeconds);
        }
    }

    private async Task HandOnAsync(WatchEventType type, TEntity entity, CancellationToken cancellationToken)
    {
        if (type is WatchEventType.Deleted) _filter.Forget(entity);
        else if (!_filter.IsNews(entity))
        {
            _filter.Refresh(entity);
            return;
        }

        var isTaken = await queue.Enqueue(
            entity, type.ToReconciliationType(), ReconciliationTriggerSource.ApiServer, TimeSpan.Zero, retryCount: 0, cancellationToken);
        if (isTaken && type is not WatchEventType.Deleted) _filter.Accept(entity);
    }

    private static string Remedy(Exception error) => error switch
    {
        HttpOperationException { Response.StatusCode: HttpStatusCode.NotFound } => "Apply the CRDs: kubectl apply -k config/crd",
        HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } => "Grant get, list and watch on this kind",
        HttpOperationException { Response.StatusCode: HttpStatusCode.Unauthorized } => "Check the service account's token",
        _ => "Check that the API server can be reached",
    };
}
