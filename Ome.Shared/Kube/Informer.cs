using System.Diagnostics.CodeAnalysis;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Ome.Shared.Kube;

/// <summary>
/// Keeps a projection of all objects of one kind and tells one handler about every change, in order. Lists in pages, watches from there with
/// bookmarks, and after a lost history lists again and reports what vanished meanwhile.
/// <para>Promises: one call of the handler at a time; every object present or gone is reported, also across outages (states in between may
/// be skipped); a change whose handler failed is delivered again; memory is one projection per object and one page. An object that cannot be read
/// is told of once for each version of it and hides no other; what was known of it stands until it can be read or is gone.</para>
/// </summary>
/// <typeparam name="T">The Kubernetes type, marked with <see cref="KubernetesEntityAttribute"/>; disposed after the handler if it can be.</typeparam>
/// <typeparam name="TItem">What is kept of each object.</typeparam>
public sealed partial class Informer<T, TItem>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly record struct Known(string Uid, string ResourceVersion, TItem Item);

    private enum WatchEnd
    {
        Healthy,
        NothingCame,
    }

    private static readonly TimeSpan ShortSession = TimeSpan.FromSeconds(5);

    private readonly ResourceEndpoint _endpoint = ResourceEndpoint.Of<T>();
    private readonly Kubernetes _client;
    private readonly ResourceStream<T> _stream;
    private readonly Func<T, TItem> _project;
    private readonly InformerHandler<TItem> _handler;
    private readonly MisfitHandler? _misfitHandler;
    private readonly InformerOptions _options;
    private readonly Backoff _backoff;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectName, Known> _known = [];

    // Names of objects that cannot be read, with the version that was told of; only the running loop's.
    private readonly Dictionary<ObjectName, string> _misfits = [];
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _resumeFrom;
    private long _lastContact;
    private int _failures;

    /// <summary>Nothing is sent before <see cref="RunAsync"/>.</summary>
    /// <param name="client">The client whose server, credentials and connections are used; must be <see cref="Kubernetes"/>.</param>
    /// <param name="options">What to watch; a value out of range throws.</param>
    /// <param name="project">Picks what is kept; runs once per new version of an object, must not keep the object if memory matters.</param>
    /// <param name="handler">Receives the changes.</param>
    /// <param name="time">Clock of timeouts, back-off and watchdog.</param>
    /// <param name="logger">Told of trouble once per back-off step, with the remedy.</param>
    /// <param name="misfits">Told of objects that cannot be read, before the list they are in counts as handled.</param>
    public Informer(
        IKubernetes client, InformerOptions options, Func<T, TItem> project, InformerHandler<TItem> handler, TimeProvider time, ILogger<Informer<T, TItem>> logger,
        MisfitHandler? misfits = null)
    {
        options.Validate();
        _client = client as Kubernetes ?? throw new ArgumentException($"The informer needs k8s.Kubernetes, not {client.GetType().FullName}: it uses its HTTP pipeline.", nameof(client));
        _options = options;
        _project = project;
        _handler = handler;
        _misfitHandler = misfits;
        _time = time;
        _logger = logger;
        _backoff = new(options.BackoffFirst, options.BackoffCap, options.JitterSeed);
        _stream = new(_client, _endpoint, options, time);
        _lastContact = time.GetTimestamp();
    }

    /// <summary>True once everything was listed and handled; stays true through later outages.</summary>
    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>Time since the server last said anything: a page, an event or a bookmark. Beyond a few minutes the view is stale.</summary>
    public TimeSpan LastEventAge => _time.GetElapsedTime(Interlocked.Read(ref _lastContact));

    /// <summary>Failures in a row; 0 while the watch is healthy.</summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>Number of objects known.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _known.Count;
        }
    }

    /// <summary>Completes when <see cref="HasSynced"/> becomes true.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    /// <summary>The projection of one object, if it is known.</summary>
    public bool TryGet(ObjectName name, [MaybeNullWhen(false)] out TItem item)
    {
        lock (_gate)
        {
            var found = _known.TryGetValue(name, out var known);
            item = known.Item;
            return found;
        }
    }

    /// <summary>All projections at this moment, in no order.</summary>
    public IReadOnlyList<TItem> Snapshot()
    {
        lock (_gate) return [.. _known.Values.Select(known => known.Item)];
    }

    /// <summary>Lists and watches until cancelled. Never throws for what the server or the network does.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (_resumeFrom is null) await ListAsync(cancellationToken);
                var end = await WatchAsync(cancellationToken);
                if (end == WatchEnd.Healthy) continue;
                await PauseAsync(new IOException("the server ends each watch at once"), cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception trouble)
            {
                if (trouble is ApiStatusException { Expired: true } or HandlerFailedException) _resumeFrom = null;
                try
                {
                    await PauseAsync(trouble, cancellationToken);
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var seen = new HashSet<ObjectName>();
        string? token = null;
        string? version = null;
        HandlerFailedException? failed = null;
        do
        {
            var page = await _stream.ListAsync(token, cancellationToken);
            Contact();
            foreach (var resource in page.Items)
            {
                using var borrowed = resource as IDisposable;
                seen.Add(ObjectName.Of(resource));
                failed = await TryAsync(() => UpsertAsync(resource, cancellationToken)) ?? failed;
            }

            foreach (var misfit in page.Misfits)
            {
                seen.Add(misfit.Object.Name);
                Note(misfit);
            }
            token = page.Metadata?.ContinueProperty;
            version = page.Metadata?.ResourceVersion ?? version;
        }
        while (!string.IsNullOrEmpty(token));

        // One whose name cannot be read may be any of those that are missing.
        var gone = seen.Contains(new("", "")) ? [] : NotIn(seen);
        foreach (var (name, item) in gone) failed = await TryAsync(() => RemoveAsync(name, item, cancellationToken)) ?? failed;
        foreach (var name in _misfits.Keys.Where(name => !seen.Contains(name)).ToList()) Forget(name);
        if (failed is not null) throw failed;
        _resumeFrom = version;
        LogListed(_endpoint.DisplayName, seen.Count);
        _synced.TrySetResult();
    }

    private async Task<WatchEnd> WatchAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var heard = false;
        var half = _options.WatchTimeout / 2;
        var timeout = _options.WatchTimeout + (half * _backoff.Fraction((int)(started & 0xffff), _endpoint.Plural.Length));
        await foreach (var line in _stream.WatchAsync(_resumeFrom ?? "", timeout, cancellationToken))
        {
            heard = true;
            Contact();
            Recovered();
            using var borrowed = line.Object as IDisposable;
            if (line.Misfit is { } misfit) await TakeAsync(line.Type, misfit, cancellationToken);
            else await TakeAsync(line.Type, line.Object!, cancellationToken);
        }
        if (!heard && _time.GetElapsedTime(started) < ShortSession) return WatchEnd.NothingCame;
        Contact();
        Recovered();
        return WatchEnd.Healthy;
    }

    private async Task TakeAsync(WatchEventType type, T resource, CancellationToken cancellationToken)
    {
        if (type == WatchEventType.Deleted)
        {
            var name = ObjectName.Of(resource);
            if (Lookup(name, out var before)) await RemoveAsync(name, TryProject(resource, out var last, out _) ? last : before.Item, cancellationToken);
            Forget(name);
        }
        else if (type != WatchEventType.Bookmark)
        {
            await UpsertAsync(resource, cancellationToken);
        }

        _resumeFrom = resource.Metadata.ResourceVersion;
    }

    private async Task TakeAsync(WatchEventType type, Misfit misfit, CancellationToken cancellationToken)
    {
        var name = misfit.Object.Name;
        if (type == WatchEventType.Deleted)
        {
            if (Lookup(name, out var before)) await RemoveAsync(name, before.Item, cancellationToken);
            Forget(name);
        }
        else if (type != WatchEventType.Bookmark)
        {
            Note(misfit);
        }

        if (misfit.ResourceVersion.Length > 0) _resumeFrom = misfit.ResourceVersion;
    }

    private async Task UpsertAsync(T resource, CancellationToken cancellationToken)
    {
        var identity = ObjectIdentity.Of(resource);
        var version = resource.Metadata.ResourceVersion ?? "";
        var wasKnown = Lookup(identity.Name, out var before);
        if (wasKnown && before.Uid == identity.Uid && before.ResourceVersion == version)
        {
            Forget(identity.Name);
            return;
        }

        if (!TryProject(resource, out var item, out var problem))
        {
            Note(new(identity, version, problem));
            return;
        }

        if (wasKnown && before.Uid != identity.Uid)
        {
            await RemoveAsync(identity.Name, before.Item, cancellationToken);
            wasKnown = false;
        }
        var change = wasKnown
            ? new InformerEvent<TItem>(InformerEventType.Updated, identity, item, before.Item)
            : new InformerEvent<TItem>(InformerEventType.Added, identity, item, default);
        await HandleAsync(change, cancellationToken);
        lock (_gate) _known[identity.Name] = new(identity.Uid, version, item);
        Forget(identity.Name);
    }

    private async Task RemoveAsync(ObjectName name, TItem last, CancellationToken cancellationToken)
    {
        if (!Lookup(name, out var before)) return;
        await HandleAsync(new(InformerEventType.Deleted, new(name, before.Uid), last, default), cancellationToken);
        lock (_gate) _known.Remove(name);
    }

    /// <summary>Lists leave kind and apiVersion out of their items; owner references and events need them. Managed fields are dead weight.</summary>
    private bool TryProject(T resource, [MaybeNullWhen(false)] out TItem item, [NotNullWhen(false)] out string? problem)
    {
        resource.ApiVersion ??= _endpoint.ApiVersion;
        resource.Kind ??= _endpoint.Kind;
        resource.Metadata.ManagedFields = null;
        try
        {
            (item, problem) = (_project(resource), null);
            return true;
        }
        catch (Exception misfit) when (Misfit.IsCause(misfit))
        {
            (item, problem) = (default, Misfit.ProblemOf(misfit));
            return false;
        }
    }

    private void Note(Misfit misfit)
    {
        var (name, version) = (misfit.Object.Name, misfit.ResourceVersion);
        if (_misfits.TryGetValue(name, out var told) && told == version) return;
        _misfits[name] = version;
        LogMisfit(_endpoint.DisplayName, name.ToString(), version, misfit.Problem);
        _misfitHandler?.Invoke(name, true);
    }

    /// <summary>The object can be read, or is gone.</summary>
    private void Forget(ObjectName name)
    {
        if (_misfits.Remove(name)) _misfitHandler?.Invoke(name, false);
    }

    private async Task HandleAsync(InformerEvent<TItem> change, CancellationToken cancellationToken)
    {
        try
        {
            await _handler(change, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error)
        {
            // Not recorded as seen: the next list finds it different and delivers it again.
            LogHandlerFailed(error, _endpoint.DisplayName, change.Object.Name.ToString(), change.Type);
            throw new HandlerFailedException(change.Object.Name);
        }
    }

    private static async Task<HandlerFailedException?> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return null;
        }
        catch (HandlerFailedException failed)
        {
            return failed; // one bad object must not keep the others from being seen
        }
    }

    private async Task PauseAsync(Exception trouble, CancellationToken cancellationToken)
    {
        var failures = Interlocked.Increment(ref _failures);
        var delay = _backoff.Delay(failures, _endpoint.Plural.Length);
        if (trouble is ApiStatusException { RetryAfter: { } asked } && asked > delay) delay = asked;
        var (cause, remedy) = ApiTrouble.Explain(trouble, _endpoint, _options.Namespace, _client.BaseUri);
        if (trouble is ApiStatusException { Expired: true } or TimeoutException && failures == 1) LogInterrupted(_endpoint.DisplayName, cause, delay.TotalSeconds);
        else LogTrouble(_endpoint.DisplayName, cause, failures, delay.TotalSeconds, remedy);
        await Task.Delay(delay, _time, cancellationToken);
    }

    private void Recovered()
    {
        var failures = Interlocked.Exchange(ref _failures, 0);
        if (failures > 0) LogRecovered(_endpoint.DisplayName, failures);
    }

    private void Contact() => Interlocked.Exchange(ref _lastContact, _time.GetTimestamp());

    private bool Lookup(ObjectName name, out Known known)
    {
        lock (_gate) return _known.TryGetValue(name, out known);
    }

    private List<(ObjectName Name, TItem Item)> NotIn(HashSet<ObjectName> seen)
    {
        lock (_gate) return [.. _known.Where(pair => !seen.Contains(pair.Key)).Select(pair => (pair.Key, pair.Value.Item))];
    }

    private sealed class HandlerFailedException(ObjectName name) : Exception($"the handler failed for {name}, see the error above");
}
