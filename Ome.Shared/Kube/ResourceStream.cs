using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Ome.Shared.Kube;

/// <summary>One line of a watch: an object, or one that cannot be read.</summary>
internal readonly record struct WatchLine<T>(WatchEventType Type, T? Object, Misfit? Misfit = null);

/// <summary>One page of a list.</summary>
public sealed class ListPage<T>
{
    public V1ListMeta? Metadata { get; set; }

    public List<T> Items { get; set; } = [];

    /// <summary>Objects on the page that cannot be read.</summary>
    [JsonIgnore]
    public List<Misfit> Misfits { get; } = [];
}

/// <summary>
/// Lists pages and opens watches over the client's own HTTP pipeline. The client's watch helpers are not used: they parse each line three
/// times, cannot be cancelled while a peer is silent, and wait for a first event before they return.
/// </summary>
internal sealed class ResourceStream<T>(Kubernetes client, ResourceEndpoint endpoint, InformerOptions options, TimeProvider time)
    where T : IKubernetesObject<V1ObjectMeta>
{
    private const int FirstBuffer = 64 << 10;
    private byte[] _page = [];

    /// <summary>One page; a null token starts a new list. One at a time.</summary>
    public async Task<ListPage<T>> ListAsync(string? continueToken, CancellationToken cancellationToken)
    {
        var url = endpoint.CollectionUrl(
            options.Namespace,
            ("limit", options.PageSize.ToString()),
            ("continue", continueToken),
            ("labelSelector", options.LabelSelector),
            ("fieldSelector", options.FieldSelector));
        using var timeout = new CancellationTokenSource(options.RequestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using var response = await SendAsync(url, both.Token);
            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            return await ReadPageAsync(body, both.Token);
        }
        catch (OperationCanceledException late) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the API server took more than {options.RequestTimeout.TotalSeconds:0} s for a list of {endpoint.DisplayName}", late);
        }
    }

    /// <summary>
    /// The events after <paramref name="resourceVersion"/> until the server ends the stream. Throws <see cref="TimeoutException"/> when
    /// nothing came for the silence limit, <see cref="ApiStatusException"/> for an ERROR event. The caller's time with an event does not count
    /// as silence.
    /// </summary>
    public async IAsyncEnumerable<WatchLine<T>> WatchAsync(string resourceVersion, TimeSpan serverTimeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var url = endpoint.CollectionUrl(
            options.Namespace,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", resourceVersion),
            ("timeoutSeconds", ((int)serverTimeout.TotalSeconds).ToString()),
            ("labelSelector", options.LabelSelector),
            ("fieldSelector", options.FieldSelector));
        using var silence = new CancellationTokenSource(options.RequestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        using var response = await GuardAsync(() => SendAsync(url, both.Token), silence, cancellationToken);
        silence.CancelAfter(options.SilenceLimit);
        await using var body = await GuardAsync(() => response.Content.ReadAsStreamAsync(both.Token), silence, cancellationToken);
        var pipe = PipeReader.Create(body);
        try
        {
            while (true)
            {
                silence.CancelAfter(options.SilenceLimit);
                var read = await GuardAsync(() => pipe.ReadAsync(both.Token).AsTask(), silence, cancellationToken);
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                var rest = read.Buffer;
                while (TakeLine(ref rest, out var line))
                {
                    if (Parse(line) is { } parsed) yield return parsed;
                }
                if (rest.Length > options.MaxReplyBytes) throw new InvalidDataException($"An event of {endpoint.DisplayName} is larger than {options.MaxReplyBytes} bytes.");
                pipe.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted) yield break;
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    // Pages are megabytes: one buffer serves all pages of a list and goes with the last one. A shared pool would keep one for every thread.
    private async Task<ListPage<T>> ReadPageAsync(Stream body, CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            if (length == _page.Length) Array.Resize(ref _page, Math.Max(FirstBuffer, _page.Length * 2));
            var count = await body.ReadAsync(_page.AsMemory(length), cancellationToken);
            if (count == 0) break;
            length += count;
            if (length > options.MaxReplyBytes) throw new InvalidDataException($"A list page of {endpoint.DisplayName} is larger than {options.MaxReplyBytes} bytes.");
        }

        var page = ReadPage(_page.AsSpan(0, length));
        if (string.IsNullOrEmpty(page.Metadata?.ContinueProperty)) _page = [];
        return page;
    }

    private static ListPage<T> ReadPage(ReadOnlySpan<byte> json)
    {
        try
        {
            return KubernetesBytes.Read<ListPage<T>>(json) ?? throw new JsonException("The list is null.");
        }
        catch (Exception misfit) when (Misfit.IsCause(misfit))
        {
            // One by one takes longer, and is needed only while there is an object that should not be there.
            return ReadOneByOne(json);
        }
    }

    private static ListPage<T> ReadOneByOne(ReadOnlySpan<byte> json)
    {
        var raw = KubernetesBytes.Read<ListPage<JsonElement>>(json) ?? throw new JsonException("The list is null.");
        var page = new ListPage<T> { Metadata = raw.Metadata };
        foreach (var item in raw.Items)
        {
            try
            {
                page.Items.Add(KubernetesBytes.Read<T>(JsonMarshal.GetRawUtf8Value(item)) ?? throw new JsonException("It is null."));
            }
            catch (Exception misfit) when (Misfit.IsCause(misfit))
            {
                page.Misfits.Add(Misfit.Of(item, misfit));
            }
        }

        return page;
    }

    private static bool TakeLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    // As every API server writes a line. Looked for first: a node report is a hundred KB, and finding its end by reading it costs as much as reading it.
    private static ReadOnlySpan<byte> Modified => """{"type":"MODIFIED","object":{"""u8;

    private static WatchLine<T>? Parse(ReadOnlySequence<byte> line)
    {
        if (line.IsEmpty) return null;
        if (StartsWith(line, Modified) && line.Slice(line.Length - 2) is var end && StartsWith(end, "}}"u8))
        {
            return Event(WatchEventType.Modified, line.Slice(Modified.Length - 1, line.Length - Modified.Length));
        }

        var reader = new Utf8JsonReader(line);
        string? type = null;
        var body = ReadOnlySequence<byte>.Empty;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isObject = reader.ValueTextEquals("object"u8);
            reader.Read();
            var start = reader.TokenStartIndex;
            reader.Skip();
            if (isType) type = reader.GetString();
            else if (isObject) body = line.Slice(start, reader.BytesConsumed - start);
        }
        if (body.IsEmpty) throw new JsonException($"A watch event of type '{type}' has no object.");
        return type switch
        {
            "ADDED" => Event(WatchEventType.Added, body),
            "MODIFIED" => Event(WatchEventType.Modified, body),
            "DELETED" => Event(WatchEventType.Deleted, body),
            "BOOKMARK" => Event(WatchEventType.Bookmark, body),
            "ERROR" => throw Refusal(Read<V1Status>(body)),
            _ => null, // a later server may know more types than we do
        };
    }

    private static WatchLine<T> Event(WatchEventType type, ReadOnlySequence<byte> body)
    {
        try
        {
            return new(type, Read<T>(body));
        }
        catch (Exception misfit) when (Misfit.IsCause(misfit))
        {
            using var document = JsonDocument.Parse(body);
            return new(type, default, Misfit.Of(document.RootElement, misfit));
        }
    }

    private static bool StartsWith(ReadOnlySequence<byte> bytes, ReadOnlySpan<byte> start)
    {
        if (bytes.Length < start.Length) return false;
        Span<byte> found = stackalloc byte[start.Length];
        bytes.Slice(0, start.Length).CopyTo(found);
        return found.SequenceEqual(start);
    }

    private static TObject Read<TObject>(ReadOnlySequence<byte> json)
    {
        var length = checked((int)json.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            json.CopyTo(buffer);
            return KubernetesBytes.Read<TObject>(buffer.AsSpan(0, length)) ?? throw new JsonException("The object of a watch event is null.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static ApiStatusException Refusal(V1Status status) =>
        new((HttpStatusCode)(status.Code ?? 500), status.Message ?? status.Reason ?? "no message", RetryAfter(status.Details?.RetryAfterSeconds));

    private static TimeSpan? RetryAfter(int? seconds) => seconds is > 0 ? TimeSpan.FromSeconds(Math.Min(seconds.Value, 600)) : null;

    private async Task<TResult> GuardAsync<TResult>(Func<Task<TResult>> work, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException late) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the watch of {endpoint.DisplayName} was silent for {options.SilenceLimit.TotalSeconds:0} s", late);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string relativeUrl, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(client.BaseUri, relativeUrl));
        request.Version = HttpVersion.Version20;
        request.Headers.Accept.ParseAdd("application/json");
        if (client.Credentials is { } credentials) await credentials.ProcessHttpRequestAsync(request, cancellationToken);
        var response = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            throw await RefusalAsync(response, cancellationToken);
        }
    }

    private static async Task<ApiStatusException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var retryAfter = response.Headers.RetryAfter?.Delta is { } delta ? RetryAfter((int)delta.TotalSeconds) : null;
        try
        {
            await response.Content.LoadIntoBufferAsync(64 << 10, cancellationToken);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var status = KubernetesJson.Deserialize<V1Status>(body);
            return new(response.StatusCode, status?.Message ?? response.ReasonPhrase ?? "no message", retryAfter);
        }
        catch (Exception unreadable) when (unreadable is JsonException or HttpRequestException)
        {
            // A proxy's page or an endless body: the status code alone has to do.
            return new(response.StatusCode, response.ReasonPhrase ?? "no message", retryAfter);
        }
    }
}
