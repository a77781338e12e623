using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using k8s.Autorest;
using k8s.Models;
using KubeOps.Abstractions.Events;
using KubeOps.KubernetesClient;
using Ome.Operator.Watching;
using Ome.Shared.Api;
using Ome.Shared.Domain.Aggregation;
using Ome.Shared.Domain.Models;
using ModelCondition = Ome.Shared.Domain.Aggregation.ModelCondition;

namespace Ome.Operator.Reconciling;

/// <summary>
/// Brings spec and status of one model in line with what its nodes say. A list of steps; each is idempotent and may be cut off anywhere.
/// A model whose status is right costs one read and no write.
/// </summary>
public sealed partial class ModelReconciler(
    ReportIndex index, ModelWaker waker, ModelPatcher patcher, IKubernetesClient client, FleetMetrics metrics, TimeProvider time, ILogger<ModelReconciler> logger)
{
    /// <summary>How often a model is looked at without any event: puts right what somebody else wrote into the status.</summary>
    public static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);

    private const int Tries = 3;
    private const int LiveChecks = 20;
    // The completed index wakes every model it was asked for too early: asking again would only load the server that is listing.
    private static readonly TimeSpan UntilComplete = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WhileHeld = TimeSpan.FromSeconds(30);

    // Which life of a name is known, and what is kept under the name, change together.
    private readonly Lock _lives = new();
    private readonly ConcurrentDictionary<Type, bool> _prunes = [];
    private readonly ConcurrentDictionary<ModelKey, string> _unreadable = [];

    /// <summary>A model that is there.</summary>
    /// <returns>When to look again.</returns>
    public Task<TimeSpan> ReconcileAsync<TEntity>(TEntity model, EventPublisher publish, CancellationToken cancellationToken)
        where TEntity : ModelEntity => RunAsync(
            new ModelRun<TEntity>(model), Resync, [ObserveAsync, AttachFinalizerAsync, GatherAsync, FillSpecAsync, (run, token) => WriteStatusAsync(run, publish, token)], cancellationToken);

    /// <summary>A model that is being deleted and has our finalizer first.</summary>
    /// <returns>When to look again; null when the finalizer is gone.</returns>
    public async Task<TimeSpan?> FinalizeAsync<TEntity>(TEntity model, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        var run = new ModelRun<TEntity>(model);
        var wait = await RunAsync(run, WhileHeld, [ObserveAsync, GatherAsync, ReleaseAsync, ShowHoldersAsync], cancellationToken);
        return run.Model.Finalizers()?.Contains(run.Finalizer) == true ? wait : null;
    }

    /// <summary>A model that is gone. Its name may be another one's by now, whose state stays: the news of the two lives come in any order.</summary>
    public void Forget(ModelKey model, string uid)
    {
        lock (_lives)
        {
            if (waker.Forget(model, uid)) ForgetState(model);
        }
    }

    private delegate Task<StepOutcome> Step<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity;

    /// <summary>The one place where a run ends, and where a conflict starts it anew on the object as it is now.</summary>
    private async Task<TimeSpan> RunAsync<TEntity>(ModelRun<TEntity> run, TimeSpan otherwise, IReadOnlyList<Step<TEntity>> steps, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                foreach (var step in steps)
                {
                    var outcome = await step(run, cancellationToken);
                    if (outcome.IsDone) return outcome.Wait ?? otherwise;
                }

                return otherwise;
            }
            catch (HttpOperationException trouble) when (trouble.Response?.StatusCode == HttpStatusCode.NotFound)
            {
                return otherwise; // deleted meanwhile; its own event follows
            }
            catch (HttpOperationException trouble) when (trouble.Response?.StatusCode == HttpStatusCode.Conflict && attempt < Tries)
            {
                index.PutBack(run.Spec.Key, run.ChangedAt);
                var fresh = await client.GetAsync<TEntity>(run.Model.Name(), run.Model.Namespace(), cancellationToken);
                if (fresh is null || fresh.Uid() != run.Model.Uid()) return otherwise;
                if (fresh.DeletionTimestamp() != run.Model.DeletionTimestamp()) return TimeSpan.Zero;
                run.Model = fresh;
            }
            catch
            {
                index.PutBack(run.Spec.Key, run.ChangedAt);
                throw;
            }
        }
    }

    private async Task<StepOutcome> ObserveAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        var spec = run.Spec;
        var (key, uid) = (spec.Key, spec.Uid);
        var isOther = waker.IsKnown(key, out var known) && known != uid;
        // Another life of the name is known: only the API server can say whether this run is its successor or its predecessor.
        if (isOther && (await client.GetAsync<TEntity>(key.Name, run.Model.Namespace(), cancellationToken))?.Uid() != uid) return StepOutcome.Done;
        lock (_lives)
        {
            if (isOther && waker.Forget(key, known)) ForgetState(key);
            index.SetModel(key, StorageIdentity.Of(spec));
            waker.Know(key, uid);
        }

        return StepOutcome.Continue;
    }

    private void ForgetState(ModelKey model)
    {
        index.RemoveModel(model);
        metrics.Forget(model);
        _unreadable.TryRemove(model, out _);
    }

    private async Task<StepOutcome> AttachFinalizerAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        if (run.Model.Finalizers()?.Contains(run.Finalizer) != true) run.Model = await patcher.AddFinalizerAsync(run.Model, run.Finalizer, cancellationToken);
        return StepOutcome.Continue;
    }

    private Task<StepOutcome> GatherAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        if (!index.IsComplete) return Task.FromResult(StepOutcome.WaitFor(UntilComplete));
        var key = run.Spec.Key;
        (run.Aggregate, run.ChangedAt) = index.Look(key);
        if (run.Aggregate is null) return Task.FromResult(StepOutcome.Done);
        lock (_lives)
        {
            // Forgotten meanwhile: what is kept under its name is not this run's.
            if (!waker.IsKnown(key, out var uid) || uid != run.Spec.Uid) return Task.FromResult(StepOutcome.Done);
            metrics.Show(run.Aggregate);
            LogUnreadableOnce(run.Aggregate);
        }

        return Task.FromResult(StepOutcome.Continue);
    }

    private async Task<StepOutcome> FillSpecAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        var plan = SpecFill.Plan(SpecFacets.Of(run.Model.Spec), run.Aggregate!.Facts);
        if (plan is null) return StepOutcome.Continue;
        run.Model = await patcher.PatchAsync(run.Model, new JsonObject { ["spec"] = SpecFacets.Patch(plan) }, cancellationToken);
        metrics.SpecFilled();
        LogSpecFilled(run.Spec.Key);
        return StepOutcome.Continue;
    }

    private async Task<StepOutcome> WriteStatusAsync<TEntity>(ModelRun<TEntity> run, EventPublisher publish, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        var before = run.Model.Status;
        var outcome = await WriteAsync(run, ModelConditions.Of(run.Aggregate!, run.Spec), cancellationToken);
        if (outcome.After is not { } after) return outcome.Step;
        foreach (var transition in StatusTransitions.Between(run.Spec.Key.ToString(), before, after))
        {
            await publish(run.Model, transition.Reason, transition.Message, transition.Type, cancellationToken);
        }

        return outcome.Step;
    }

    private async Task<StepOutcome> ShowHoldersAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        List<ModelCondition> conditions = [ModelConditions.Deleting(run.Aggregate!), .. ModelConditions.Of(run.Aggregate!, run.Spec).Skip(1)];
        var (step, _) = await WriteAsync(run, conditions, cancellationToken);
        return step;
    }

    /// <summary>Writes the status if it differs and the last write is old enough.</summary>
    private async Task<(StepOutcome Step, BaseModelStatus? After)> WriteAsync<TEntity>(
        ModelRun<TEntity> run, IReadOnlyList<ModelCondition> conditions, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        var spec = run.Spec;
        var wanted = StatusBuilder.Build(run.Aggregate!, conditions, spec, run.Model.Status, time.GetUtcNow());
        var prunes = _prunes.GetValueOrDefault(typeof(TEntity));
        if (IsSame(wanted, run.Model.Status, prunes)) return (StepOutcome.Continue, null);
        if (waker.UntilWritable(spec.Key) is var wait && wait > TimeSpan.Zero)
        {
            index.PutBack(spec.Key, run.ChangedAt);
            return (StepOutcome.WaitFor(wait), null);
        }

        run.Model = await patcher.PatchStatusAsync(run.Model, StatusJson.Full(wanted), cancellationToken);
        waker.Written(spec.Key);
        metrics.StatusWritten(run.ChangedAt is { } at ? time.GetElapsedTime(at) : null);
        var isPruned = run.Model.Status?.Conditions is not { Count: > 0 };
        if (isPruned != prunes) LogPruning(typeof(TEntity).Name, isPruned);
        _prunes[typeof(TEntity)] = isPruned;
        return (StepOutcome.Continue, wanted);
    }

    /// <summary>Lets the model go when no live node holds it. A node that seems gone is asked for once more: it may be new, and its report was faster.</summary>
    private async Task<StepOutcome> ReleaseAsync<TEntity>(ModelRun<TEntity> run, CancellationToken cancellationToken)
        where TEntity : ModelEntity
    {
        if (!run.Aggregate!.IsReleased) return StepOutcome.Continue;
        var key = run.Spec.Key;
        var gone = index.NodesGoneHolding(key);
        foreach (var node in gone.Take(LiveChecks))
        {
            if (await client.GetAsync<V1Node>(node, cancellationToken: cancellationToken) is not null) return StepOutcome.WaitFor(TimeSpan.FromSeconds(1));
        }

        run.Model = await patcher.RemoveFinalizerAsync(run.Model, run.Finalizer, cancellationToken);
        LogReleased(key);
        return StepOutcome.Done;
    }

    private static bool IsSame(BaseModelStatus wanted, BaseModelStatus? current, bool prunes) => prunes
        ? JsonNode.DeepEquals(StatusJson.Core(wanted), StatusJson.Core(current))
        : JsonNode.DeepEquals(StatusJson.Full(wanted), StatusJson.Full(current));

    private void LogUnreadableOnce(ModelAggregate aggregate)
    {
        var found = string.Join(", ", aggregate.NodesUnreadable.Take(LiveChecks).Select(static node => $"{node.Node} ({node.Error})"));
        if (_unreadable.GetValueOrDefault(aggregate.Model, string.Empty) == found) return;
        _unreadable[aggregate.Model] = found;
        if (found.Length > 0) LogUnreadable(aggregate.Model, aggregate.NodesUnreadable.Count, found);
    }
}
