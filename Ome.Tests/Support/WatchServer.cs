using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ome.Tests.Support;

/// <summary>
/// One collection of objects behind list and watch on a free loopback port, with faults on demand. It serves every URL the same collection;
/// what was asked is in <see cref="Requests"/>. For tests of watching itself; everything else uses the local cluster.
/// </summary>
public sealed class WatchServer : IAsyncDisposable
{
    private sealed record Change(long Version, string Type, JsonObject Object);

    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<Change> _history = [];
    private TaskCompletionSource _news = New();
    private CancellationTokenSource _streams = new();
    private long _version = 100;
    private long _oldest;

    private WatchServer(WebApplication app) => _app = app;

    /// <summary>Relative URLs asked so far, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>When set, requests are answered with this status (and, for 429, Retry-After).</summary>
    public int? Refusal { get; set; }

    /// <summary>When true, watches connect and then say nothing.</summary>
    public bool Silent { get; set; }

    /// <summary>When true, watches end as soon as they are opened.</summary>
    public bool ClosesAtOnce { get; set; }

    /// <summary>Runs before each list page is answered, with its number in the list, from 0.</summary>
    public Action<int>? BeforePage { get; set; }

    /// <summary>Watches open at the moment.</summary>
    public int OpenWatches => Volatile.Read(ref _openWatches);

    private int _openWatches;

    /// <summary>A client for this server.</summary>
    public Kubernetes Client { get; private set; } = null!;

    /// <summary>Starts on a free port.</summary>
    public static async Task<WatchServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new WatchServer(builder.Build());
        server._app.Run(server.ServeAsync);
        await server._app.StartAsync();
        var address = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        server.Client = new Kubernetes(new KubernetesClientConfiguration { Host = address });
        return server;
    }

    /// <summary>Creates or replaces an object; a new name gets a new uid. Returns its resourceVersion.</summary>
    public string Put(string name, string ns = "ome", Action<JsonObject>? fill = null)
    {
        lock (_gate)
        {
            var key = $"{ns}/{name}";
            var known = _objects.TryGetValue(key, out var old);
            _version++;
            var next = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = name,
                    ["namespace"] = ns,
                    ["uid"] = known ? (string?)old!["metadata"]!["uid"] : $"uid-{_version}",
                    ["resourceVersion"] = _version.ToString(),
                },
            };
            fill?.Invoke(next);
            _objects[key] = next;
            Append(new(_version, known ? "MODIFIED" : "ADDED", next));
            return _version.ToString();
        }
    }

    /// <summary>Deletes an object.</summary>
    public void Delete(string name, string ns = "ome")
    {
        lock (_gate)
        {
            if (!_objects.Remove($"{ns}/{name}", out var old)) throw new InvalidOperationException($"{ns}/{name} does not exist.");
            _version++;
            var last = (JsonObject)old.DeepClone();
            last["metadata"]!["resourceVersion"] = _version.ToString();
            Append(new(_version, "DELETED", last));
        }
    }

    /// <summary>Sends a bookmark to all watches.</summary>
    public void Bookmark()
    {
        lock (_gate)
        {
            Append(new(++_version, "BOOKMARK", new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = _version.ToString() } }));
        }
    }

    /// <summary>Forgets history: watches from an older version get 410.</summary>
    public void Compact()
    {
        lock (_gate)
        {
            _oldest = ++_version;
            _history.Clear();
        }
    }

    /// <summary>Breaks all open watches.</summary>
    public void DropWatches()
    {
        lock (_gate)
        {
            _streams.Cancel();
            _streams = new();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        DropWatches();
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Append(Change change)
    {
        _history.Add(change);
        _news.TrySetResult();
        _news = New();
    }

    private async Task ServeAsync(HttpContext http)
    {
        Requests.Enqueue(http.Request.Path + http.Request.QueryString);
        if (Refusal is { } code)
        {
            http.Response.StatusCode = code;
            if (code == StatusCodes.Status429TooManyRequests) http.Response.Headers.RetryAfter = "2";
            await http.Response.WriteAsJsonAsync(Status(code, "refused on demand"));
        }
        else if (http.Request.Query["watch"] == "true")
        {
            Interlocked.Increment(ref _openWatches);
            try
            {
                await WatchAsync(http);
            }
            catch (OperationCanceledException)
            {
                http.Abort();
            }
            finally
            {
                Interlocked.Decrement(ref _openWatches);
            }
        }
        else
        {
            await ListAsync(http);
        }
    }

    private async Task ListAsync(HttpContext http)
    {
        var limit = int.Parse(http.Request.Query["limit"].SingleOrDefault() ?? "500");
        var token = http.Request.Query["continue"].SingleOrDefault()?.Split(':');
        var from = token is null ? 0 : int.Parse(token[1]);
        BeforePage?.Invoke(from / limit);
        string text;
        lock (_gate)
        {
            if (token is not null && long.Parse(token[0]) < _oldest)
            {
                http.Response.StatusCode = StatusCodes.Status410Gone;
                text = Status(410, "the continue token is too old").ToJsonString();
            }
            else
            {
                // A real server pins the pages of one list to one version; page size and tests are such that objects only change between lists.
                var version = token is null ? _version : long.Parse(token[0]);
                var items = _objects.Values.Skip(from).Take(limit).Select(item => item.DeepClone()).ToArray();
                var next = from + items.Length < _objects.Count ? $"{version}:{from + items.Length}" : "";
                text = new JsonObject
                {
                    ["kind"] = "List",
                    ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(), ["continue"] = next },
                    ["items"] = new JsonArray(items),
                }.ToJsonString();
            }
        }
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(text);
    }

    private async Task WatchAsync(HttpContext http)
    {
        http.Response.ContentType = "application/json";
        var from = long.Parse(http.Request.Query["resourceVersion"].Single()!);
        CancellationToken dropped;
        lock (_gate) dropped = _streams.Token;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(dropped, http.RequestAborted);
        await http.Response.StartAsync(ended.Token);
        if (ClosesAtOnce) return;
        if (Silent) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ended.Token);
        while (true)
        {
            List<Change> changes;
            Task news;
            bool expired;
            lock (_gate)
            {
                expired = from < _oldest;
                changes = [.. _history.Where(change => change.Version > from)];
                news = _news.Task;
            }
            if (expired)
            {
                await LineAsync(http, "ERROR", Status(410, "too old resource version"), ended.Token);
                return;
            }
            foreach (var change in changes)
            {
                await LineAsync(http, change.Type, change.Object.DeepClone(), ended.Token);
                from = change.Version;
            }
            await news.WaitAsync(ended.Token);
        }
    }

    private static async Task LineAsync(HttpContext http, string type, JsonNode body, CancellationToken cancellationToken)
    {
        var line = new JsonObject { ["type"] = type, ["object"] = body };
        await http.Response.WriteAsync(line.ToJsonString(JsonSerializerOptions.Web) + "\n", cancellationToken);
        await http.Response.Body.FlushAsync(cancellationToken);
    }

    private static JsonObject Status(int code, string message) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["status"] = "Failure",
        ["code"] = code,
        ["message"] = message,
    };
}
