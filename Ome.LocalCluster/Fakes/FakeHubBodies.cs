using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Ome.LocalCluster.Fakes;

/// <summary>Answers that carry file bytes: ranges, entity tags, and everything that can go wrong in the middle of them.</summary>
internal sealed class FakeHubBodies(FakeHub hub)
{
    private const int BufferSize = 256 * 1024;

    public async Task SendAsync(HttpContext context, string path, HubContent content)
    {
        var response = context.Response;
        response.Headers.ETag = $"\"{content.ETag}\"";
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";
        if (context.Request.Method == "HEAD")
        {
            response.ContentLength = content.Length;
            return;
        }

        var fault = hub.Faults.Take(HubFaultScope.Body, path, static kind => kind != HubFaultKind.Status);
        var (offset, length) = fault?.Kind == HubFaultKind.IgnoreRange ? (0, content.Length) : RangeOf(context, content.Length);
        if (length < 0)
        {
            response.StatusCode = 416;
            response.Headers.ContentRange = $"bytes */{content.Length}";
            return;
        }

        fault ??= hub.Faults.TakeRandomCut(length);
        if (fault?.Kind == HubFaultKind.Truncate) length = Math.Min(length, fault.AfterBytes);
        response.ContentLength = length;
        var isRange = fault?.Kind != HubFaultKind.IgnoreRange && context.Request.Headers.Range.Count > 0;
        if (length > 0 && (isRange || length < content.Length))
        {
            response.StatusCode = 206;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{offset + length - 1}/{content.Length}");
        }

        try
        {
            await CopyAsync(context, path, content, offset, length, fault).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client went away; so does the answer.
            context.Abort();
        }
    }

    private async Task CopyAsync(HttpContext context, string path, HubContent content, long offset, long length, HubFault? fault)
    {
        var stopAt = fault?.Kind is HubFaultKind.Cut or HubFaultKind.Stall ? Math.Min(length, fault.AfterBytes) : length;
        var flipAt = fault?.Kind == HubFaultKind.WrongBytes ? Math.Min(length - 1, fault.AfterBytes) : -1;
        await using var source = content.Open(offset);
        var buffer = new byte[BufferSize];
        var body = new HubBody(path, offset);
        hub.Began(body);
        for (long sent = 0; sent < stopAt;)
        {
            var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, stopAt - sent)), context.RequestAborted).ConfigureAwait(false);
            if (read == 0) break;
            if (flipAt >= sent && flipAt < sent + read) buffer[flipAt - sent] ^= 0x10;
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
            sent += read;
            body.Add(read);
            hub.Sent(read);
        }

        if (stopAt >= length) return;
        await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
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
