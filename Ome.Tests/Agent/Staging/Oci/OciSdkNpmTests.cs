using System.Security.Cryptography;
using System.Text.Json;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>The fake store and our signer are held to the real protocol by the vendor's own TypeScript SDK.</summary>
public sealed class OciSdkNpmTests
{
    private const string Fingerprint = "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";

    private const string Script = """
        const common = require("oci-common");
        const { ObjectStorageClient } = require("oci-objectstorage");
        const { createHash } = require("crypto");
        const { readFileSync } = require("fs");
        const [endpoint, keyFile, fingerprint] = process.argv.slice(2);
        async function read(stream) { const parts = []; for await (const part of stream) parts.push(Buffer.from(part)); return Buffer.concat(parts); }
        (async () => {
          const provider = new common.SimpleAuthenticationDetailsProvider(
            "ocid1.tenancy.fake", "ocid1.user.fake", fingerprint, readFileSync(keyFile, "utf8"), null, common.Region.US_ASHBURN_1);
          const client = new ObjectStorageClient({ authenticationDetailsProvider: provider });
          client.endpoint = endpoint;
          const out = { files: {}, pages: 0 };
          const namespaceName = (await client.getNamespace({})).value;
          let start;
          do {
            const page = (await client.listObjects({ namespaceName, bucketName: "models", prefix: "m/", fields: "name,size,md5,etag", limit: 3, start })).listObjects;
            out.pages++;
            for (const found of page.objects) {
              const head = await client.headObject({ namespaceName, bucketName: "models", objectName: found.name });
              const whole = await read((await client.getObject({ namespaceName, bucketName: "models", objectName: found.name, ifMatch: found.etag })).value);
              const range = whole.length > 2
                ? await read((await client.getObject({ namespaceName, bucketName: "models", objectName: found.name, range: new common.Range(1, 2) })).value) : null;
              out.files[found.name] = { size: found.size, md5: found.md5, length: head.contentLength, multipart: head.opcMultipartMd5,
                sha256: createHash("sha256").update(whole).digest("hex"), range: range ? [...range] : null };
            }
            // The SDK puts query values into the address as they are.
            start = page.nextStartWith && encodeURIComponent(page.nextStartWith);
          } while (start);
          try { await client.headObject({ namespaceName, bucketName: "models", objectName: "m/none" }); } catch (e) { out.missing = e.statusCode; }
          out.namespace = namespaceName;
          console.log("RESULT " + JSON.stringify(out));
          process.exit(0);
        })().catch(e => { console.error(e); process.exit(1); });
        """;

    [Test, CancelAfter(120_000)]
    public async Task The_vendors_sdk_lists_reads_and_signs_as_we_do(CancellationToken cancellationToken)
    {
        using var directory = new TempDirectory();
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(directory["key.pem"], key.ExportRSAPrivateKeyPem(), cancellationToken);
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: cancellationToken);
        store.RequiresCredentials = true;
        store.Callers.Know($"ocid1.tenancy.fake/ocid1.user.fake/{Fingerprint}", key);
        var files = Enumerable.Range(0, 7).ToDictionary(i => $"m/a b+{i}%20#?/file-{i}.bin", i => Enumerable.Range(i, i * 10).Select(n => (byte)n).ToArray(), StringComparer.Ordinal);
        foreach (var (name, bytes) in files) store.Put("models", name, name.Contains("-6", StringComparison.Ordinal) ? StoredBlob.OfParts(bytes, 16) : StoredBlob.Of(bytes));

        var output = await NpmClient.RunAsync("oci-objectstorage", "client.cjs", Script, [store.Endpoint, directory["key.pem"], Fingerprint], cancellationToken);

        store.Callers.Refused.Should().BeEmpty();
        var line = output.Split('\n').Single(text => text.StartsWith("RESULT ", StringComparison.Ordinal));
        using var seen = JsonDocument.Parse(line[7..]);
        seen.RootElement.GetProperty("namespace").GetString().Should().Be(store.Namespace);
        seen.RootElement.GetProperty("pages").GetInt32().Should().Be(3);
        seen.RootElement.GetProperty("missing").GetInt32().Should().Be(404);
        var listed = seen.RootElement.GetProperty("files").EnumerateObject().ToDictionary(file => file.Name, file => file.Value, StringComparer.Ordinal);
        listed.Keys.Should().BeEquivalentTo(files.Keys);
        foreach (var (name, file) in listed)
        {
            file.GetProperty("sha256").GetString().Should().Be(Convert.ToHexStringLower(SHA256.HashData(files[name])), name);
            file.GetProperty("size").GetInt64().Should().Be(files[name].Length);
            if (files[name].Length > 2) file.GetProperty("range").EnumerateArray().Select(part => part.GetByte()).Should().Equal(files[name][1..3]);
        }

        store.Callers.Accepted.Should().HaveCountGreaterThan(files.Count);
        foreach (var request in store.Callers.Accepted) (await SignedByUsAsync(request, key, cancellationToken)).Should().Be(request.Signature, request.SigningString);
        TestContext.Out.WriteLine($"oci-objectstorage read {listed.Count} objects with {store.Callers.Accepted.Count} signed requests; all signatures equal ours");
    }

    /// <summary>The same request, made anew from what the SDK signed of it, and signed by our own signer.</summary>
    private static async Task<string> SignedByUsAsync(SignedRequest signed, RSA key, CancellationToken cancellationToken)
    {
        var values = signed.SigningString.Split('\n').Select(line => line.Split(": ", 2)).ToDictionary(line => line[0], line => line[1], StringComparer.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(signed.Method), $"http://{values["host"]}{values["(request-target)"].Split(' ')[1]}");
        request.Headers.Add("x-date", values["x-date"]);
        await RequestSigner.SignAsync(request, "any", key, DateTimeOffset.UnixEpoch, signed.Headers, cancellationToken);
        var authorization = request.Headers.GetValues("Authorization").Single();
        return authorization.Split("signature=\"")[1].TrimEnd('"');
    }
}
