using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>
/// The fake store and our signer are held to the real protocol by the vendor's own TypeScript SDK. Opt-in: needs node, npm and a package registry, <c>OME_NPM=1</c>.
/// </summary>
[Category("Campaign")]
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
                ? await read((await client.getObject({ namespaceName, bucketName: "models", objectName: found.name, range: common.Range.parse("bytes=1-2") })).value) : null;
              out.files[found.name] = { size: found.size, md5: found.md5, length: head.contentLength, multipart: head.opcMultipartMd5,
                sha256: createHash("sha256").update(whole).digest("hex"), range: range ? [...range] : null };
            }
            start = page.nextStartWith;
          } while (start);
          try { await client.headObject({ namespaceName, bucketName: "models", objectName: "m/none" }); } catch (e) { out.missing = e.statusCode; }
          out.namespace = namespaceName;
          console.log("RESULT " + JSON.stringify(out));
          process.exit(0);
        })().catch(e => { console.error(e); process.exit(1); });
        """;

    [Test, CancelAfter(300_000)]
    public async Task The_vendors_sdk_lists_reads_and_signs_as_we_do(CancellationToken cancellationToken)
    {
#pragma warning disable RS0030 // An opt-in test.
        if (Environment.GetEnvironmentVariable("OME_NPM") != "1") Assert.Ignore("Set OME_NPM=1 to install oci-objectstorage with npm and run it against the fake store.");
#pragma warning restore RS0030
        using var directory = new TempDirectory();
        var (installed, problem) = await RunAsync(directory.Path, "npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "oci-objectstorage"], cancellationToken);
        if (!installed) Assert.Ignore("npm cannot install oci-objectstorage here: " + problem);
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(directory["key.pem"], key.ExportRSAPrivateKeyPem(), cancellationToken);
        await File.WriteAllTextAsync(directory["client.cjs"], Script, cancellationToken);
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: cancellationToken);
        store.RequiresCredentials = true;
        store.Callers.Know($"ocid1.tenancy.fake/ocid1.user.fake/{Fingerprint}", key);
        var files = Enumerable.Range(0, 7).ToDictionary(i => $"m/a b+{i}%20#?/file-{i}.bin", i => Enumerable.Range(i, i * 10).Select(n => (byte)n).ToArray(), StringComparer.Ordinal);
        foreach (var (name, bytes) in files) store.Put("models", name, name.Contains("-6", StringComparison.Ordinal) ? StoredBlob.OfParts(bytes, 16) : StoredBlob.Of(bytes));

        var (ran, output) = await RunAsync(directory.Path, "node", [directory["client.cjs"], store.Endpoint, directory["key.pem"], Fingerprint], cancellationToken);

        ran.Should().BeTrue(output + string.Join('\n', store.Callers.Refused));
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

        // For every request the SDK signed, our signature over the same text is the same.
        store.Callers.Accepted.Should().NotBeEmpty().And.AllSatisfy(request => RequestSigner.Sign(request.SigningString, key).Should().Be(request.Signature));
        TestContext.Out.WriteLine($"oci-objectstorage read {listed.Count} objects with {store.Callers.Accepted.Count} signed requests; all signatures equal ours");
    }

    private static async Task<(bool Succeeded, string Output)> RunAsync(string directory, string command, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            start.Environment["NO_PROXY"] = "127.0.0.1";
            start.Environment["no_proxy"] = "127.0.0.1";
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode == 0, process.ExitCode == 0 ? await output : await output + await error);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (false, e.Message);
        }
    }
}
