using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Ome.LocalCluster.Fakes;

/// <summary>Answers that carry file bytes: ranges, entity tags, and everything that can go wrong in the middle of them.</summary>
/// <param name="faults">What goes wrong.</param>
/// <param name="gives">Told of every piece before it is sent, so that a client that has it never finds it uncounted.</param>
/// <param name="begin">Told when a body begins, with its file and offset; what it gives back is told of every piece sent, and how much the client does not have yet.</param>
internal sealed class FakeHubBodies(HubFaults faults, Action<long> gives, Func<string, long, Action<int, long>>? begin = null)
{
    private const int BufferSize = 256 * 1024;

    public Task SendAsync(HttpContext context, string path, HubContent content)
    {
        context.Response.Headers.ETag = $"\"{content.ETag}\"";
        return SendAsync(context, path, content.Length, content.Open);
    }

    /// <summary>Sends bytes; the caller has set the headers that name the content.</summary>
    /// <param name="context">Request and answer.</param>
    /// <param name="path">Which file, for faults.</param>
    /// <param name="size">Of the whole content.</param>
    /// <param name="open">Opens the content from an offset.</param>
    public async Task SendAsync(HttpContext context, string path, long size, Func<long, Stream> open)
    {
        var response = context.Response;
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";
        if (context.Request.Method == "HEAD")
        {
            response.ContentLength = size;
            return;
        }

        var fault = faults.Take(HubFaultScope.Body, path, static kind => kind != HubFaultKind.Status);
        var (offset, length) = fault?.Kind == HubFaultKind.IgnoreRange ? (0, size) : RangeOf(context, size);
        if (length < 0)
        {
            response.StatusCode = 416;
            response.Headers.ContentRange = $"bytes */{size}";
            return;
        }

        fault ??= faults.TakeRandomCut(length);
        if (fault?.Kind == HubFaultKind.Truncate) length = Math.Min(length, fault.AfterBytes);
        response.ContentLength = length;
        var isRange = fault?.Kind != HubFaultKind.IgnoreRange && context.Request.Headers.Range.Count > 0;
        if (length > 0 && (isRange || length < size))
        {
            response.StatusCode = 206;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{size}");
        }

        try
        {
            await CopyAsync(context, path, open, offset, length, fault).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client went away; so does the answer.
            context.Abort();
        }
    }

    private async Task CopyAsync(HttpContext context, string path, Func<long, Stream> open, long offset, long length, HubFault? fault)
    {
        var stopAt = fault?.Kind is HubFaultKind.Cut or HubFaultKind.Stall ? Math.Min(length, fault.AfterBytes) : length;
        var flipAt = fault?.Kind == HubFaultKind.WrongBytes ? Math.Min(length - 1, fault.AfterBytes) : -1;
        await using var source = open(offset);
        var buffer = new byte[BufferSize];
        var sent = begin?.Invoke(path, offset);
        try
        {
            for (long done = 0; done < stopAt;)
            {
                var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, stopAt - done)), context.RequestAborted).ConfigureAwait(false);
                if (read == 0) break;
                if (flipAt >= done && flipAt < done + read) buffer[flipAt - done] ^= 0x10;
                gives(read);
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
                done += read;
                sent?.Invoke(read, SendQueue.BytesUnderWay(context));
            }

            if (stopAt < length) await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            sent?.Invoke(0, SendQueue.BytesUnderWay(context));
        }

        if (stopAt >= length) return;
        if (fault!.Kind == HubFaultKind.Stall) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(false);
        context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort();
    }

    /// <summary>Start and length of the answer; a negative length when the range cannot be satisfied. One range, as every client of ours asks.</summary>
    private static (long Offset, long Length) RangeOf(HttpContext context, long size)
    {
        if (!RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var header) || header.Ranges.Count != 1) return (0, size);
        var range = header.Ranges.First();
        if (range.From is null) return (Math.Max(0, size - range.To!.Value), Math.Min(size, range.To.Value));
        if (range.From >= size) return (0, -1);
        return (range.From.Value, Math.Min(range.To ?? size - 1, size - 1) - range.From.Value + 1);
    }
}
